import { assert, describe, it } from "@effect/vitest"
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { bytesOf, elementsOf, hostIsLittleEndian, swapped } from "../src/internal/bytes.ts"
import { halfToNumber } from "../src/internal/floats.ts"
import * as JsonText from "../src/internal/jsonText.ts"
import * as NameBudget from "../src/internal/nameBudget.ts"
import * as Names from "../src/internal/names.ts"
import { byCodePoint } from "../src/internal/headerWriter.ts"

describe("laws", () => {
  it("halfToNumber is exact for all finite halves: they increase in steps and mirror in sign", () => {
    for (let half = 0; half < 0x7c00; half++) {
      const value = halfToNumber(half)
      assert.isAbove(halfToNumber(half + 1), value)
      assert.strictEqual(halfToNumber(half | 0x8000), -value)
      assert.strictEqual(Math.fround(value), value)
    }
  })
})

describe("laws of names", () => {
  const keys = fc.string({ maxLength: 4 })
  const trees: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(1, null),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(keys, tie("tree"), { maxKeys: 3, noNullPrototype: true })
    )
  })).tree

  it("names are distinct, and as many as there are leaves", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const names = Names.ofTree(PyTree.structure(tree))
        assert.strictEqual(new Set(names).size, PyTree.leaves(tree).length)
      })
    )
  })

  it("their length is known before they are made", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const treeDef = PyTree.structure(tree)
        const json = Schema.encodeSync(TreeDef.schema)(treeDef)
        const texts = TreeDef.paths(treeDef).map((path) => KeyPath.keystr(path, { simple: true, separator: "." }))
        assert.deepStrictEqual(
          NameBudget.lengths(json),
          texts.map(({ length }) => length)
        )
      })
    )
  })

  it("the length of all names of a state counts each leaf once for each slot, then what a transform remembers", () => {
    const tree = Schema.encodeSync(TreeDef.schema)(PyTree.structure({ aa: 1, b: [1] }))
    const subtree = Schema.encodeSync(TreeDef.schema)(PyTree.structure({ x: 1, vv: 1 }))
    const subtreeDefs = [PyTree.structure({ x: 1, vv: 1 }), PyTree.structure({ x: 1, vv: 1 })]
    const transform = PyTree.structure([{ count: 1 }, null, { mu: [1, 1] }])
    const names = Names.ofState({
      treeDef: PyTree.structure({ aa: 1, b: [1] }),
      subtreeDefs,
      transform: { treeDef: transform }
    })
    const json = Schema.encodeSync(TreeDef.schema)(transform)
    const length = NameBudget.ofState({ tree, subtrees: [subtree], subtreeOf: [0, 0], transform: json })
    assert.strictEqual(length, names.join("").length)
  })

  it("a chain of a million levels is counted in one pass", () => {
    const levels = 1_000_000
    const nodes = [...Array.from({ length: levels }, () => 1), "*" as const]
    assert.deepStrictEqual(NameBudget.lengths(nodes), [2 * levels - 1])
  })
})

describe("cases", () => {
  it("swapped reverses the bytes of each element, and does not touch its input", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    assert.deepStrictEqual(swapped(bytes, 4), Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5))
    assert.deepStrictEqual(swapped(bytes, 1), bytes)
    assert.strictEqual(bytes[0], 1)
  })

  it("elements and bytes are views of each other where the host is little-endian", () => {
    assert.isTrue(hostIsLittleEndian)
    const data = Int32Array.of(1, 256)
    assert.strictEqual(elementsOf(Int32Array, bytesOf(data, 4)).buffer, data.buffer)
    assert.deepStrictEqual(bytesOf(data, 4), Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 0))
  })

  it("JSON text is refused beyond 64 levels, brackets in strings do not count", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
    assert.isFalse(JsonText.isDeep(nested(64)))
    assert.isTrue(JsonText.isDeep(nested(65)))
    assert.isFalse(JsonText.isDeep(JSON.stringify([nested(65), `\\"${nested(65)}`, "\\"])))
    assert.isTrue(JsonText.isDeep(`["\\\\",${nested(64)}]`))
    assert.isFalse(JsonText.isDeep(`"${"[".repeat(100)}`))
    assert.isFalse(JsonText.isDeep("[]".repeat(100)))
  })

  it("byCodePoint compares as UTF-8 bytes do", () => {
    assert.deepStrictEqual(["\u{1f600}", "\uff5e", "b", "ab", "a", ""].toSorted(byCodePoint), [
      "",
      "a",
      "ab",
      "b",
      "\uff5e",
      "\u{1f600}"
    ])
    assert.isAbove(byCodePoint("\u{1f600}b", "\u{1f600}a"), 0)
  })
})

describe("numbers", () => {
  it("halfToNumber gives the values of the standard's examples", () => {
    assert.deepStrictEqual(
      [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0x7e00].map(
        halfToNumber
      ),
      [0, -0, 2 ** -24, 2 ** -14 - 2 ** -24, 2 ** -14, 0.333251953125, 1, 1 + 2 ** -10, 65504, Infinity, -Infinity, NaN]
    )
  })
})
