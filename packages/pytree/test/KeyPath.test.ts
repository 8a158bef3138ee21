import { assert, describe, it } from "@effect/vitest"
import { KeyPath, PyTree } from "@optim/pytree"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { key, objectOf } from "./support/trees.ts"

const { DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey } = KeyPath

describe("laws", () => {
  it("a printed dictionary path is code that leads to the leaf", () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (keys) => {
        let tree: unknown = "leaf"
        for (const key of keys.toReversed()) tree = objectOf([[key, tree]])
        const [[path]] = PyTree.flattenWithPath(tree)[0] as [readonly [KeyPath.KeyPath, unknown]]
        // oxlint-disable-next-line typescript/no-implied-eval -- the printed path is an expression
        assert.strictEqual(new Function("tree", `return tree${KeyPath.keystr(path)}`)(tree), "leaf")
      })
    )
  })
  it("different dictionary paths print differently", () => {
    const path = fc.array(key, { maxLength: 3 }).map((keys) => keys.map(DictKey))
    fc.assert(
      fc.property(path, path, (one, other) => {
        assert.strictEqual(KeyPath.keystr(one) === KeyPath.keystr(other), Equal.equals(one, other))
      })
    )
  })
})

describe("keystr", () => {
  const path = [DictKey("layers"), SequenceKey(0), GetAttrKey("w"), FlattenedIndexKey(1)]
  it("prints each kind of key in its own way", () => {
    assert.strictEqual(KeyPath.keystr(path), "['layers'][0].w[<flat index 1>]")
    assert.strictEqual(KeyPath.keystr(path, { separator: "/" }), "['layers']/[0]/.w/[<flat index 1>]")
    assert.strictEqual(KeyPath.keystr(path, { simple: true }), "layers0w1")
    assert.strictEqual(KeyPath.keystr(path, { simple: true, separator: "/" }), "layers/0/w/1")
    assert.strictEqual(KeyPath.keystr([]), "")
  })
  it("escapes quotes, backslashes and what does not print", () => {
    assert.strictEqual(KeyPath.keystr([DictKey('it\'s "a"\\\n')]), "['it\\'s \"a\"\\\\\\n']")
  })
})

describe("keys", () => {
  it("are equal by value", () => {
    assert.isTrue(Equal.equals(DictKey("a"), DictKey("a")))
    assert.strictEqual(Hash.hash(SequenceKey(1)), Hash.hash(SequenceKey(1)))
    const others = [SequenceKey(0), SequenceKey(1), FlattenedIndexKey(0), DictKey("a"), DictKey("b"), GetAttrKey("a")]
    for (const [i, one] of others.entries()) {
      for (const [j, other] of others.entries()) assert.strictEqual(Equal.equals<unknown, unknown>(one, other), i === j)
    }
  })
  it("go through JSON as they are, and nothing else does", () => {
    const path = [DictKey("a"), SequenceKey(0), GetAttrKey("w"), FlattenedIndexKey(2)]
    assert.deepStrictEqual(Schema.decodeUnknownSync(KeyPath.schema)(JSON.parse(JSON.stringify(path))), path)
    for (const json of [
      [{ _tag: "DictKey", index: 0 }],
      [{ _tag: "SequenceKey", index: -1 }],
      [{ _tag: "Key" }],
      "a"
    ]) {
      assert.throws(() => Schema.decodeUnknownSync(KeyPath.schema)(json))
    }
  })
})
