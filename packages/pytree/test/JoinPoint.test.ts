import { assert, describe, it } from "@effect/vitest"
import { JoinPoint, PyTree } from "@optim/pytree"

describe("JoinPoint", () => {
  it("holds a subtree and yields it once", () => {
    const subtree = { a: 1 }
    const joined = JoinPoint.make(subtree)
    assert.strictEqual(joined.subtree, subtree)
    assert.deepStrictEqual([...joined], [subtree])
    assert.deepStrictEqual([...joined], [subtree])
  })
  it("is a leaf of the tree around it", () => {
    const joined = new JoinPoint.JoinPoint([1, 2])
    assert.deepStrictEqual(PyTree.leaves({ a: joined, b: [joined] }), [joined, joined])
    assert.deepStrictEqual(
      PyTree.map({ a: joined }, ({ subtree }) => subtree),
      { a: [1, 2] }
    )
  })
  it("is recognised by its mark", () => {
    assert.isTrue(JoinPoint.isJoinPoint(JoinPoint.make(1)))
    assert.isTrue(JoinPoint.isJoinPoint({ "~@optim/pytree/JoinPoint": "~@optim/pytree/JoinPoint", subtree: 1 }))
    for (const other of [null, 1, {}, [], { subtree: 1 }]) assert.isFalse(JoinPoint.isJoinPoint(other))
  })
  it("shows only its subtree", () => {
    assert.deepStrictEqual(Object.keys(JoinPoint.make(1)), ["subtree"])
  })
})
