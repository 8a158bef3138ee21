import { assert, describe, it } from "@effect/vitest"
import { CyclicTree, KeyPath, PyTree, StructureMismatch, UnsupportedLeaf } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const treedef = PyTree.structure({ a: 0 })

describe("errors", () => {
  it("are failures of effects, by their tags", () =>
    Effect.gen(function* () {
      const error = new CyclicTree({ operation: "here", path: [] })
      const caught = yield* Effect.catchTag(error, "CyclicTree", ({ operation }) => Effect.succeed(operation))
      assert.strictEqual(caught, "here")
    }).pipe(Effect.runPromise))
  it("go through JSON with their structures and paths", () => {
    const error = new StructureMismatch({
      operation: "here",
      expected: treedef,
      found: PyTree.structure([1]),
      mismatches: [{ path: [KeyPath.DictKey("a")], expected: "a leaf", found: "nothing" }]
    })
    const codec = Schema.toCodecJson(StructureMismatch)
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error)))
    const again = Schema.decodeUnknownSync(codec)(json)
    assert.instanceOf(again, StructureMismatch)
    assert.strictEqual(again.message, error.message)
    assert.strictEqual(String(again.expected), "PyTreeDef({'a': *})")
    assert.strictEqual(
      error.message,
      `here: the tree and the structure it should have differ in structure
  ['a']   expected a leaf   found nothing
Pass a tree that has what is expected at these paths.`
    )
  })
  it("align their lines, unless a cell is very wide", () => {
    const wide = "x".repeat(61)
    const error = new UnsupportedLeaf({
      operation: "here",
      leaves: [
        { path: [KeyPath.DictKey("a")], expected: "one", found: "two" },
        { path: [KeyPath.DictKey(wide)], expected: "three", found: wide },
        { path: [], expected: wide, found: "four" }
      ],
      hint: "End."
    })
    assert.strictEqual(
      error.message,
      `here: some leaves are of the wrong kind
  ['a']    expected one     found two
  ['${wide}']   expected three   found ${wide}
  (root)   expected ${wide}   found four
End.`
    )
  })
})
