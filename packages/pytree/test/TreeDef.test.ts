import { assert, describe, it } from "@effect/vitest"
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { deep, Labeled, labeledType, Layer, Point, Registered, tree } from "./support/trees.ts"

const codec = TreeDef.schemaWith([labeledType])
const encode = Schema.encodeSync(codec)
const decode = Schema.decodeUnknownSync(codec)

/** The message with which decoding fails. */
const refusal = (json: unknown): string => {
  try {
    decode(json)
  } catch (error) {
    return String(error)
  }
  return assert.fail("nothing was thrown")
}

const numbered = <T>(treedef: TreeDef.TreeDef<T>): PyTree.Mapped<T, number> =>
  PyTree.unflatten(
    treedef,
    Array.from({ length: treedef.leafCount }, (_, index) => index)
  )

const levels = 100_000

describe("laws", () => {
  it("equality and hash depend on nothing but the structure", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const [one, other] = [PyTree.structure(tree), PyTree.structure(PyTree.map(tree, String))]
        assert.isTrue(Equal.equals(one, other))
        assert.strictEqual(Hash.hash(one), Hash.hash(other))
        assert.strictEqual(String(one), String(other))
      })
    )
  })
  it("two structures are equal if and only if nothing mismatches, and then print alike", () => {
    fc.assert(
      fc.property(tree, tree, (one, other) => {
        const [left, right] = [PyTree.structure(one), PyTree.structure(other)]
        const isEqual = Equal.equals(left, right)
        assert.strictEqual(isEqual, TreeDef.mismatches(left, right).length === 0)
        assert.strictEqual(isEqual, TreeDef.mismatches(right, left).length === 0)
        if (isEqual) assert.strictEqual(String(left), String(right))
      })
    )
  })
  it("compose is what unflatten makes of trees as leaves", () => {
    fc.assert(
      fc.property(tree, tree, (one, other) => {
        const [outer, inner] = [PyTree.structure(one), PyTree.structure(other)]
        const composed = TreeDef.compose(outer, inner)
        const nested = PyTree.map(numbered(outer), () => other)
        assert.isTrue(Equal.equals(composed, PyTree.structure(nested)))
        assert.strictEqual(composed.leafCount, outer.leafCount * inner.leafCount)
        assert.strictEqual(composed.nodeCount, outer.nodeCount - outer.leafCount + outer.leafCount * inner.nodeCount)
      })
    )
  })
  it("compose is associative, with the single leaf as its unit", () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        const [x, y, z] = [PyTree.structure(a), PyTree.structure(b), PyTree.structure(c)]
        assert.isTrue(
          Equal.equals(TreeDef.compose(TreeDef.compose(x, y), z), TreeDef.compose(x, TreeDef.compose(y, z)))
        )
        assert.isTrue(Equal.equals(TreeDef.compose(x, TreeDef.leaf), x))
        assert.isTrue(Equal.equals(TreeDef.compose(TreeDef.leaf, x), x))
      })
    )
  })
  it("the children make up the node", () => {
    fc.assert(
      fc.property(fc.array(tree), (trees) => {
        const children = TreeDef.children(PyTree.structure(trees))
        assert.deepStrictEqual(
          children.map(String),
          trees.map((tree) => String(PyTree.structure(tree)))
        )
      })
    )
  })
  it("paths are distinct and as many as there are leaves", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const treedef = PyTree.structure(tree)
        const shown = TreeDef.paths(treedef).map((path) => JSON.stringify(path))
        assert.strictEqual(shown.length, treedef.leafCount)
        assert.strictEqual(new Set(shown).size, treedef.leafCount)
      })
    )
  })
  it("decode undoes encode, by way of JSON text", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const treedef = PyTree.structure(tree)
        // classes that are not registered cannot be written
        fc.pre(!/Point|Layer/.test(String(treedef)))
        const again = decode(JSON.parse(JSON.stringify(encode(treedef))))
        assert.isTrue(Equal.equals(again, treedef))
        assert.deepStrictEqual(TreeDef.paths(again), TreeDef.paths(treedef))
        assert.strictEqual(again.leafCount, treedef.leafCount)
      })
    )
  })
})

describe("equality", () => {
  it("tells apart what is easily confused", () => {
    const trees = [
      1,
      null,
      [],
      {},
      [1],
      [null],
      { 0: 1 },
      { a: 1 },
      { a: null },
      { b: 1 },
      [1, 1],
      [[1], []],
      [[], [1]],
      Option.none(),
      Option.some(1),
      Option.some(null),
      new Point({ x: 1, y: 1 }),
      { x: 1, y: 1 },
      new Labeled("a", [1]),
      new Labeled("b", [1]),
      new Registered(1, 1, "m"),
      new Registered(1, 1, "s")
    ]
    const defs = trees.map((tree) => PyTree.structure(tree))
    for (const [i, one] of defs.entries()) {
      for (const [j, other] of defs.entries())
        assert.strictEqual(Equal.equals(one, other), i === j, `${String(one)} and ${String(other)}`)
    }
    assert.strictEqual(new Set(defs.map((def) => Hash.hash(def))).size, defs.length)
  })
  it("is not confused by values that are no structures", () => {
    assert.isFalse(Equal.equals<unknown, unknown>(PyTree.structure(1), { leafCount: 1 }))
    assert.isFalse(TreeDef.isTreeDef({ leafCount: 1 }))
    assert.isTrue(TreeDef.isTreeDef(TreeDef.leaf))
  })
  it("keeps classes of the same name apart", () => {
    const make = (): unknown => {
      class Twin extends Data.Class<{ readonly a: number }> {}
      return new Twin({ a: 1 })
    }
    assert.isFalse(Equal.equals(PyTree.structure(make()), PyTree.structure(make())))
  })
})

describe("printing", () => {
  it("is that of JAX", () => {
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [1, "PyTreeDef(*)"],
      [null, "PyTreeDef(None)"],
      [[], "PyTreeDef([])"],
      [{}, "PyTreeDef({})"],
      [{ b: [1, 2], a: 3 }, "PyTreeDef({'a': *, 'b': [*, *]})"],
      [[{ "it's": null }, [[]]], "PyTreeDef([{'it\\'s': None}, [[]]])"],
      [Option.some(Option.none()), "PyTreeDef(CustomNode(Option[Some], [CustomNode(Option[None], [])]))"],
      [new Labeled("a", [1]), "PyTreeDef(CustomNode(test/Labeled[a], [*]))"],
      [new Registered(1, [2], "m"), "PyTreeDef(CustomNode(test/Registered[unit=m, first, rest], [*, [*]]))"],
      [new Layer({ w: 1 }), "PyTreeDef(CustomNode(Layer[_tag=Layer, w], [*]))"]
    ]
    for (const [tree, printed] of cases) assert.strictEqual(String(PyTree.structure(tree)), printed)
  })
  it("is what the console and JSON.stringify show", () => {
    assert.strictEqual(JSON.stringify({ def: TreeDef.leaf }), '{"def":"PyTreeDef(*)"}')
  })
})

describe("counts", () => {
  it("only a single leaf is a leaf", () => {
    assert.isTrue(TreeDef.isLeaf(PyTree.structure("x")))
    for (const tree of [null, [], {}, [1]]) assert.isFalse(TreeDef.isLeaf(PyTree.structure(tree)))
  })
  it("count containers and nulls as nodes", () => {
    const treedef = PyTree.structure({ a: [1, null], b: {} })
    assert.strictEqual(TreeDef.leafCount(treedef), 1)
    assert.strictEqual(TreeDef.nodeCount(treedef), 5)
  })
  it("children of leaves and nulls are none", () => {
    assert.deepStrictEqual(TreeDef.children(TreeDef.leaf), [])
    assert.deepStrictEqual(TreeDef.children(PyTree.structure(null)), [])
  })
})

describe("mismatches", () => {
  it("with prefix lets a leaf stand for anything", () => {
    const [short, full] = [PyTree.structure([1, null]), PyTree.structure([{ a: 1 }, null])]
    assert.deepStrictEqual(TreeDef.mismatches(short, full, { prefix: true }), [])
    assert.deepStrictEqual(TreeDef.mismatches(full, short, { prefix: true }), [
      { path: [KeyPath.SequenceKey(0)], expected: "an object with 'a'", found: "a leaf" }
    ])
  })
  it("go on below arrays of different lengths and objects with different keys", () => {
    const found = TreeDef.mismatches(PyTree.structure({ a: [[1], 2], b: 1 }), PyTree.structure({ a: [null], c: [1] }))
    assert.deepStrictEqual(
      found.map(({ path }) => KeyPath.keystr(path)),
      ["['a']", "['a'][0]", "['b']", "['c']"]
    )
  })
})

describe("JSON", () => {
  it("is a flat list of nodes", () => {
    const treedef = PyTree.structure({
      b: [1, null],
      a: Option.some(new Labeled("x", [2])),
      c: new Registered(1, [], "m")
    })
    assert.deepStrictEqual<unknown>(encode(treedef), [
      ["a", "b", "c"],
      { node: "Option", arity: 1, metadata: "Some" },
      { node: "test/Labeled", arity: 1, metadata: "x" },
      "*",
      2,
      "*",
      null,
      { node: "test/Registered", arity: 2, metadata: { names: ["first", "rest"], fixed: { unit: "m" } } },
      "*",
      0
    ])
  })
  it("finds registered node types and no others", () => {
    const registered = PyTree.structure(new Registered(1, 2, "m"))
    const again = Schema.decodeSync(TreeDef.schema)(Schema.encodeSync(TreeDef.schema)(registered))
    assert.deepStrictEqual<unknown>(PyTree.unflatten(again, [3, 4]), new Registered(3, 4, "m"))
    assert.throws(
      () => Schema.encodeSync(TreeDef.schema)(PyTree.structure([new Point({ x: 1, y: 2 })])),
      `Expected a node type with a name, got Point[x, y]
  at [1]`
    )
    assert.throws(
      () => Schema.encodeSync(TreeDef.schema)(PyTree.structure([new Labeled("a", [])])),
      `Expected a known node type, got "test/Labeled": register it, or name it to TreeDef.schemaWith
  at [1]`
    )
  })
  it("metadata without a codec cannot be written", () => {
    const bare: PyTree.NodeType<Labeled, string> = { ...labeledType, metadata: undefined }
    assert.throws(
      () => Schema.encodeSync(TreeDef.schemaWith([bare]))(PyTree.structure(new Labeled("a", []))),
      `Expected no metadata: the node type "test/Labeled" has no codec for it
  at [0]`
    )
  })
  it("that makes no structure is refused, with the position", () => {
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [[], "Expected 1 more nodes at the end"],
      [[2, "*"], "Expected 1 more nodes at the end"],
      [[9e15, "*"], "Expected 8999999999999999 more nodes at the end"],
      [["*", "*"], "Expected the end of the structure\n  at [1]"],
      [[1, ["b", "a"], "*", "*"], "Expected distinct keys in ascending order\n  at [1]"],
      [[["a", "a"], "*", "*"], "Expected distinct keys in ascending order\n  at [0]"],
      [
        [{ node: "Nobody", arity: 0 }],
        'Expected a known node type, got "Nobody": register it, or name it to TreeDef.schemaWith\n  at [0]'
      ],
      [[{ node: "Option", arity: 0, metadata: "Maybe" }], 'Expected "None" | "Some"\n  at [0]'],
      [
        [{ node: "Option", arity: 2, metadata: "Some" }, "*", "*"],
        "Expected custom nodes that can be put together and taken apart again"
      ],
      [
        [{ node: "Option", arity: 0, metadata: "Some" }],
        "Expected custom nodes that can be put together and taken apart again"
      ]
    ]
    for (const [json, message] of cases) assert.include(refusal(json), message)
    for (const json of ["x", null, [-1], [1.5], [[1]], [{ node: 1, arity: 0 }], [{ node: "Option" }], [true]])
      refusal(json)
  })
  it("with keys such as __proto__ makes own data", () => {
    const treedef = decode(JSON.parse('[["__proto__", "constructor"], "*", "*"]'))
    assert.strictEqual(JSON.stringify(PyTree.unflatten(treedef, [1, 2])), '{"__proto__":1,"constructor":2}')
  })
})

describe("100,000 levels", () => {
  const treedef = PyTree.structure(deep(levels, 1))
  it("equality, hash, printing, counts", () => {
    const same = PyTree.structure(deep(levels, "x"))
    assert.isTrue(Equal.equals(treedef, same))
    assert.strictEqual(Hash.hash(treedef), Hash.hash(same))
    assert.isFalse(Equal.equals(treedef, PyTree.structure(deep(levels, null))))
    assert.strictEqual(String(treedef), `PyTreeDef(${"{'a': [".repeat(levels / 2)}*${"]}".repeat(levels / 2)})`)
    assert.strictEqual(treedef.nodeCount, levels + 1)
    assert.lengthOf(TreeDef.children(treedef), 1)
    assert.strictEqual(TreeDef.paths(treedef)[0]?.length, levels)
  })
  it("compose, mismatches, JSON", () => {
    assert.strictEqual(TreeDef.compose(treedef, treedef).nodeCount, 2 * levels + 1)
    const [found] = TreeDef.mismatches(treedef, PyTree.structure(deep(levels, null)))
    assert.strictEqual(found?.path.length, levels)
    const text = JSON.stringify(Schema.encodeSync(TreeDef.schema)(treedef))
    assert.isTrue(Equal.equals(Schema.decodeUnknownSync(TreeDef.schema)(JSON.parse(text)), treedef))
  })
})
