import { assert, describe, it } from "@effect/vitest"
import { CyclicTree, JoinPoint, KeyPath, PyTree, StructureMismatch, TreeDef } from "@optim/pytree"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { assertSame, deep, key, Labeled, Layer, objectOf, Point, Registered, tree, treeOf } from "./support/trees.ts"

/** The error that a function throws. */
const thrown = (f: () => unknown): unknown => {
  try {
    f()
  } catch (error) {
    return error
  }
  return assert.fail("nothing was thrown")
}

const mismatch = (f: () => unknown): StructureMismatch => {
  const error = thrown(f)
  assert.instanceOf(error, StructureMismatch)
  return error
}

const rows = (f: () => unknown): ReadonlyArray<ReadonlyArray<string>> =>
  mismatch(f).mismatches.map(({ expected, found, path }) => [KeyPath.keystr(path), expected, found])

const levels = 100_000

describe("laws", () => {
  it("unflatten undoes flatten", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const [leaves, treedef] = PyTree.flatten(tree)
        assertSame(PyTree.unflatten(treedef, leaves), tree)
      })
    )
  })
  it("flatten undoes unflatten", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const treedef = PyTree.structure(tree)
        const leaves = Array.from({ length: treedef.leafCount }, (_, index) => `leaf ${index}`)
        const [again, structure] = PyTree.flatten(PyTree.unflatten(treedef, leaves))
        assert.deepStrictEqual(again, leaves)
        assert.isTrue(Equal.equals(structure, treedef))
      })
    )
  })
  it("map keeps the structure and the identity of the leaves", () => {
    fc.assert(
      fc.property(treeOf(fc.constant(0).map(() => new JoinPoint.JoinPoint(0))), (tree) => {
        const same = PyTree.map(tree, (leaf) => leaf)
        assert.isTrue(Equal.equals(PyTree.structure(same), PyTree.structure(tree)))
        const [before, after] = [PyTree.leaves(tree), PyTree.leaves(same)]
        assert.isTrue(before.every((leaf, index) => leaf === after[index]))
      })
    )
  })
  it("map after map is map of the composition, for functions that give leaves", () => {
    fc.assert(
      fc.property(tree, fc.func(fc.integer()), fc.func(fc.string()), (tree, f, g) => {
        assertSame(
          PyTree.map(PyTree.map(tree, f), g),
          PyTree.map(tree, (leaf) => g(f(leaf)))
        )
      })
    )
  })
  it("the order of keys in an object does not matter", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, fc.integer()), { selector: ([key]) => key }), (entries) => {
        const [one, other] = [objectOf(entries), objectOf(entries.toReversed())]
        assert.deepStrictEqual(PyTree.leaves(one), PyTree.leaves(other))
        assert.isTrue(Equal.equals(PyTree.structure(one), PyTree.structure(other)))
      })
    )
  })
  it("leaves come in the order of the code units of their keys", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key), (keys) => {
        const object = objectOf(keys.map((key) => [key, key]))
        assert.deepStrictEqual<unknown>(PyTree.leaves(object), keys.toSorted())
      })
    )
  })
  it("flattenWithPath gives the leaves of flatten and the paths of the structure", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const [pairs, treedef] = PyTree.flattenWithPath(tree)
        assert.deepStrictEqual(
          pairs.map(([, leaf]) => leaf),
          PyTree.leaves(tree)
        )
        assert.deepStrictEqual(
          pairs.map(([path]) => path),
          TreeDef.paths(treedef)
        )
      })
    )
  })
  it("flattenUpTo gives what was put at the leaves", () => {
    fc.assert(
      fc.property(tree, fc.array(tree, { minLength: 1 }), (outer, inner) => {
        const treedef = PyTree.structure(outer)
        const parts = Array.from({ length: treedef.leafCount }, (_, index) => inner[index % inner.length])
        assertSame(PyTree.flattenUpTo(treedef, PyTree.unflatten(treedef, parts)), parts)
      })
    )
  })
  it("flattenUpTo and mismatches agree about what fits", () => {
    fc.assert(
      fc.property(tree, tree, fc.boolean(), (one, other, exact) => {
        const treedef = PyTree.structure(one)
        const found = TreeDef.mismatches(treedef, PyTree.structure(other), { prefix: !exact })
        if (found.length === 0) PyTree.flattenUpTo(treedef, other, { exact })
        else assert.deepStrictEqual(mismatch(() => PyTree.flattenUpTo(treedef, other, { exact })).mismatches, found)
      })
    )
  })
  it("reduceAssociative of an associative function is reduce", () => {
    fc.assert(
      fc.property(treeOf(fc.string()), (tree) => {
        const join = (left: string, right: string): string => left + right
        assert.strictEqual(
          PyTree.reduceAssociative<unknown, string>(tree, join, { identity: "" }),
          PyTree.reduce<unknown, string>(tree, "", (text, leaf) => text + String(leaf))
        )
      })
    )
  })
  it("transpose twice is the identity", () => {
    fc.assert(
      fc.property(tree, tree, (one, other) => {
        const [outer, inner] = [PyTree.structure(one), PyTree.structure(other)]
        const composed = TreeDef.compose(outer, inner)
        const tree = PyTree.unflatten(
          composed,
          Array.from({ length: composed.leafCount }, (_, index) => index)
        )
        assertSame(PyTree.transpose(inner, outer, PyTree.transpose(outer, inner, tree)), tree)
      })
    )
  })
  it("broadcast gives each subtree copies of the prefix's leaf", () => {
    fc.assert(
      fc.property(tree, tree, (prefix, below) => {
        const treedef = PyTree.structure(prefix)
        const numbered = PyTree.unflatten(
          treedef,
          Array.from({ length: treedef.leafCount }, (_, index) => index)
        )
        const full = PyTree.map(numbered, () => below)
        assertSame(
          PyTree.broadcast(numbered, full),
          PyTree.map(numbered, (leaf) => PyTree.map(below, () => leaf))
        )
      })
    )
  })
  it("unravel undoes ravel", () => {
    const leaf = fc.oneof(
      fc.double(),
      fc.float32Array(),
      fc.float64Array(),
      fc.int8Array(),
      fc.uint8ClampedArray(),
      fc.uint32Array()
    )
    fc.assert(
      fc.property(treeOf(leaf), (tree) => {
        const { unravel, vector } = PyTree.ravel(tree)
        assertSame(unravel(vector), tree)
        assertSame(unravel([...vector]), tree)
      })
    )
  })
})

describe("nodes and leaves", () => {
  it("arrays, plain objects and null are nodes, all else is a leaf", () => {
    class Plain {
      readonly a = 1
    }
    class Numbers extends Array<number> {}
    const leaves = [
      new Plain(),
      new Numbers(1, 2),
      new Date(),
      new Map([[1, 2]]),
      Float32Array.of(1),
      () => 1,
      Symbol.iterator
    ]
    for (const leaf of leaves) assert.deepStrictEqual(PyTree.leaves<unknown>({ leaf }), [leaf])
    assert.deepStrictEqual(
      PyTree.leaves({ a: [1, null, []], b: Object.assign(Object.create(null), { c: 2 }) as { c: number } }),
      [1, 2]
    )
  })
  it("undefined counts as null and never comes back", () => {
    assert.deepStrictEqual(PyTree.map({ a: undefined, b: [undefined, 1] }, String), { a: null, b: [null, "1"] })
    assert.isTrue(Equal.equals(PyTree.structure([undefined]), PyTree.structure([null])))
    assert.isFalse(Equal.equals(PyTree.structure({ a: undefined }), PyTree.structure({})))
    assert.deepStrictEqual<unknown>(
      PyTree.map(Object.assign([] as Array<number>, { 1: 1 }), (leaf) => leaf),
      [null, 1]
    )
  })
  it("a JoinPoint is a leaf, whatever it holds", () => {
    const joined = JoinPoint.make({ a: 1 })
    assert.deepStrictEqual(PyTree.leaves([joined, 2]), [joined, 2])
  })
  it("keys of Object.prototype are own data and pollute nothing", () => {
    const text = '{"__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":{"__proto__":3},"toString":4}'
    const mapped = PyTree.map(JSON.parse(text) as Record<string, unknown>, (leaf) => leaf)
    assert.strictEqual(JSON.stringify(mapped), text)
    assert.strictEqual(Object.getPrototypeOf(mapped), Object.prototype)
    assert.isUndefined(({} as { polluted?: unknown }).polluted)
    assert.deepStrictEqual(PyTree.flattenUpTo(PyTree.structure(mapped), JSON.parse(text)), [1, 2, 3, 4])
  })
  it("properties with symbol keys and hidden ones are not part of a tree", () => {
    const object = Object.defineProperty({ a: 1, [Symbol.for("b")]: 2 }, "c", { value: 3, enumerable: false })
    assert.deepStrictEqual<unknown>(
      PyTree.map(object, (leaf) => leaf),
      { a: 1 }
    )
  })
  it("the same object in two places is two subtrees, not a cycle", () => {
    const shared = { a: 1 }
    assert.deepStrictEqual(PyTree.leaves([shared, [shared, shared]]), [1, 1, 1])
    assert.deepStrictEqual(PyTree.leaves(deep(5_000, [shared, shared])), [1, 1])
  })
})

describe("effect's data", () => {
  it("Option: whether there is a value is structure", () => {
    assert.deepStrictEqual(PyTree.map(Option.some({ a: 1 }), String), Option.some({ a: "1" }))
    assert.deepStrictEqual<unknown>(PyTree.map([Option.none<number>()], String), [Option.none()])
    assert.isFalse(Equal.equals(PyTree.structure(Option.some(null)), PyTree.structure(Option.none())))
  })
  it("Chunk: elements by position", () => {
    const chunk = Chunk.append(Chunk.appendAll(Chunk.make(1), Chunk.make(2)), 3)
    assert.isTrue(
      Equal.equals(
        PyTree.map(chunk, (leaf) => leaf * 2),
        Chunk.make(2, 4, 6)
      )
    )
    assert.deepStrictEqual(TreeDef.paths(PyTree.structure(chunk))[1], [KeyPath.SequenceKey(1)])
  })
  it("Data.Class: fields by name; getters and methods survive", () => {
    const point = PyTree.map(new Point({ y: 2, x: 1 }), (leaf) => [leaf, leaf])
    assert.instanceOf(point, Point)
    assert.deepStrictEqual(point.both, [
      [1, 1],
      [2, 2]
    ])
    assert.deepStrictEqual(TreeDef.paths(PyTree.structure(new Point({ y: 2, x: 1 }))), [
      [KeyPath.GetAttrKey("x")],
      [KeyPath.GetAttrKey("y")]
    ])
  })
  it("Schema.Class: rebuilt without validation; the tag is not a leaf", () => {
    class Strict extends Schema.TaggedClass<Strict>()("Strict", { w: Schema.Finite }) {}
    const mapped = PyTree.map(new Strict({ w: 1 }), () => "text")
    assert.instanceOf(mapped, Strict)
    assert.deepStrictEqual<unknown>(Object.entries(mapped), [
      ["_tag", "Strict"],
      ["w", "text"]
    ])
    assert.deepStrictEqual(PyTree.leaves(new Layer({ w: 1 })), [1])
  })
  it("which fields an instance has is seen anew each time", () => {
    class Loose extends Data.Class<{ readonly a?: number; readonly b?: number; readonly _tag?: unknown }> {}
    const instances = [
      new Loose({ a: 1 }),
      new Loose({ b: 2 }),
      new Loose({}),
      new Loose({ a: 1, b: 2 }),
      new Loose({ _tag: 3 }),
      new Loose({ _tag: "x" }),
      new Loose({ _tag: "y" }),
      new Loose({ a: 1, _tag: "y" }),
      new Loose({ a: 1 })
    ]
    const shown = instances.map((instance) =>
      String(PyTree.structure(instance)).slice("PyTreeDef(CustomNode(Loose".length, -2)
    )
    assert.deepStrictEqual(shown, [
      "[a], [*]",
      "[b], [*]",
      "[], []",
      "[a, b], [*, *]",
      "[_tag], [*]",
      "[_tag=x], []",
      "[_tag=y], []",
      "[_tag=y, a], [*]",
      "[a], [*]"
    ])
  })
  it("instances of two classes differ even when their fields agree", () => {
    class Other extends Data.Class<{ readonly x: number; readonly y: number }> {}
    const found = rows(() => PyTree.map(new Point({ x: 1, y: 2 }), new Other({ x: 1, y: 2 }), (x) => x))
    assert.deepStrictEqual(found, [["", "Point[x, y] of 2", "Other[x, y] of 2"]])
  })
  it("an accessor of the class does not catch what is rebuilt", () => {
    class Guarded extends Data.Class<{ readonly a: number }> {
      set b(_: number) {
        assert.fail("the setter was called")
      }
    }
    const guarded = Object.defineProperty(new Guarded({ a: 1 }), "b", { value: 2, enumerable: true })
    assert.deepStrictEqual(PyTree.leaves(PyTree.map<unknown, unknown>(guarded, (leaf) => leaf)), [1, 2])
  })
})

describe("custom nodes", () => {
  it("a class with a node type comes apart by it", () => {
    const labeled = new Labeled("a", [1, [2]])
    assert.deepStrictEqual(
      PyTree.map<unknown, unknown>(labeled, (leaf) => Number(leaf) + 1),
      new Labeled("a", [2, [3]])
    )
    assert.deepStrictEqual(TreeDef.paths(PyTree.structure(labeled)), [
      [KeyPath.FlattenedIndexKey(0)],
      [KeyPath.FlattenedIndexKey(1), KeyPath.SequenceKey(0)]
    ])
  })
  it("without a name, the class identifies its nodes", () => {
    const make = (): unknown => {
      class Anonymous {
        get [PyTree.symbol](): PyTree.NodeType<Anonymous> {
          return { flatten: () => ({ children: [1] }), unflatten: () => new Anonymous() }
        }
      }
      return [new Anonymous(), new Anonymous()]
    }
    const [one, other] = [make(), make()]
    assert.deepStrictEqual(
      PyTree.map<unknown, unknown>(one, (leaf) => leaf),
      one
    )
    assert.strictEqual(
      String(PyTree.structure(one)),
      "PyTreeDef([CustomNode(Anonymous, [*]), CustomNode(Anonymous, [*])])"
    )
    assert.isTrue(Equal.equals(PyTree.structure(one), PyTree.structure(PyTree.map<unknown, unknown>(one, String))))
    assert.deepStrictEqual(
      rows(() => PyTree.map(one, other, (leaf) => leaf)),
      ["[0]", "[1]"].map((path) => [path, "Anonymous of 1", "Anonymous of 1 by another class"])
    )
  })
  it("the same class from two copies of a package is one node type", () => {
    const copy = (): unknown => {
      const type = { name: "test/Copy", flatten: () => ({ children: [1] }), unflatten: () => new Copy() }
      class Copy {
        get [PyTree.symbol](): PyTree.NodeType<Copy> {
          return type
        }
      }
      return new Copy()
    }
    assert.isTrue(Equal.equals(PyTree.structure(copy()), PyTree.structure(copy())))
  })
  it("metadata is compared with Equal", () => {
    assert.isFalse(Equal.equals(PyTree.structure(new Labeled("a", [])), PyTree.structure(new Labeled("b", []))))
    assert.deepStrictEqual(
      rows(() => PyTree.map([new Labeled("a", [])], [new Labeled("b", [])], (x) => x)),
      [["[0]", "test/Labeled[a] of 0", "test/Labeled[b] of 0"]]
    )
  })
  it("a plain object cannot pretend to be a custom node", () => {
    const forged = { [PyTree.symbol]: { flatten: 1 } }
    assert.deepStrictEqual(PyTree.leaves<unknown>(forged), [1])
    const labeled = new Labeled("a", [1])
    const likeLabeled = { [PyTree.symbol]: labeled[PyTree.symbol], label: "a", parts: [1] }
    assert.lengthOf(
      rows(() => PyTree.map<unknown, unknown, unknown>(labeled, likeLabeled, (leaf) => leaf)),
      1
    )
  })
  it("a registered class comes apart by its fields, and its subclasses do not", () => {
    class Sub extends Registered {}
    assert.deepStrictEqual(
      PyTree.map<unknown, unknown>(new Registered(1, [2], "m"), (leaf) => -Number(leaf)),
      new Registered(-1, [-2], "m")
    )
    const sub = new Sub(1, 2, "m")
    assert.deepStrictEqual(PyTree.leaves<unknown>([sub]), [sub])
  })
  it("a node type with too few keys is refused", () => {
    class Wrong {
      get [PyTree.symbol](): PyTree.NodeType<Wrong> {
        return { name: "Wrong", flatten: () => ({ children: [1, 2], keys: [] }), unflatten: () => this }
      }
    }
    assert.strictEqual(
      String(thrown(() => PyTree.leaves({ a: new Wrong() }))),
      `InvalidNode: PyTree.leaves: the node type Wrong gave parts that do not fit together
  ['a']   expected 2 keys, one for each child   found 0 keys
Correct the \`flatten\` of the node type.`
    )
  })
  it("a constructor is registered once, under a name of its own", () => {
    class One {
      readonly a = 1
    }
    class Two {
      readonly a = 1
    }
    PyTree.register(One, PyTree.fields(One, { name: "test/One" }))
    assert.strictEqual(
      String(thrown(() => PyTree.register(One, PyTree.fields(One)))),
      `AlreadyRegistered: PyTree.register: the constructor is taken
  One   expected a constructor without a node type   found one that has a node type
Register each constructor once, each under a name of its own.`
    )
    for (const taken of ["test/One", "Option", "Chunk"]) {
      const error = thrown(() => PyTree.register(Two, PyTree.fields(Two, { name: taken })))
      assert.deepInclude(error, { _tag: "AlreadyRegistered", kind: "name", taken })
    }
    for (const builtin of [Object, Array]) {
      const error = thrown(() => PyTree.register(builtin, PyTree.fields(builtin, { name: "test/builtin" })))
      assert.deepInclude(error, { _tag: "AlreadyRegistered", kind: "constructor", taken: builtin.name })
    }
  })
})

describe("cycles", () => {
  it("a node that contains itself is an error with the path that leads back", () => {
    const node: Record<string, unknown> = { a: 1 }
    node["b"] = [0, { c: node }]
    assert.strictEqual(
      String(thrown(() => PyTree.flatten(node))),
      `CyclicTree: PyTree.flatten: the tree contains itself
  ['b'][1]['c']   expected a new node   found one of the nodes around it
Take the reference out of the tree, or hold it in a JoinPoint, which is a leaf.`
    )
  })
  it("a cycle below a long path, through custom nodes", () => {
    const parts: Array<unknown> = []
    parts.push(new Labeled("a", parts))
    const error = thrown(() => PyTree.map({ top: deep(3_000, parts) }, (leaf) => leaf))
    assert.instanceOf(error, CyclicTree)
    assert.strictEqual(error.path.length, 3_003)
  })
  it("isLeaf may end a cycle, and a JoinPoint does", () => {
    const node: Array<unknown> = [1]
    node.push(node)
    const isSecond = (_: unknown, path: KeyPath.KeyPath): boolean => path.length === 2
    assert.lengthOf(PyTree.flattenWithPath(node, { isLeaf: isSecond })[0], 3)
    node[1] = JoinPoint.make(node)
    assert.lengthOf(PyTree.leaves(node), 2)
  })
})

describe("100,000 levels", () => {
  const tree = deep(levels, 1)
  const treedef = PyTree.structure(tree)
  it("flatten, unflatten, map, flattenUpTo, fold", () => {
    assert.deepStrictEqual(PyTree.leaves(tree), [1])
    assert.isTrue(Equal.equals(PyTree.structure(PyTree.unflatten(treedef, [2])), treedef))
    assert.deepStrictEqual(PyTree.leaves(PyTree.map(tree, tree, tree, (a, b, c) => [a, b, c].length)), [3])
    assert.deepStrictEqual(PyTree.flattenUpTo(treedef, deep(levels, "x")), ["x"])
    assert.strictEqual(
      PyTree.reduce<unknown, number>(tree, 1, (sum, leaf) => sum + Number(leaf)),
      2
    )
    assert.deepStrictEqual(PyTree.leaves(PyTree.broadcast(5, tree)), [5])
    assert.deepStrictEqual(PyTree.leaves(PyTree.transpose(treedef, null, tree)), [1])
    assert.deepStrictEqual(PyTree.ravel(tree).vector, Float64Array.of(1))
  })
  it("paths", () => {
    const [[path]] = PyTree.flattenWithPath(tree)[0] as [readonly [KeyPath.KeyPath, unknown]]
    assert.lengthOf(path, levels)
    assert.isTrue(KeyPath.keystr(path).startsWith("['a'][0]['a'][0]"))
  })
  it("a report of what differs", () => {
    const error = mismatch(() => PyTree.map(deep(levels, null), tree, (leaf) => leaf))
    assert.deepStrictEqual(
      error.mismatches.map(({ expected, found, path }) => [path.length, expected, found]),
      [[levels, "null", "a leaf"]]
    )
    assert.isAbove(error.message.length, levels)
  })
  it("refusing what contains itself", () => {
    const end: Array<unknown> = []
    end.push(end)
    const error = thrown(() => PyTree.leaves(deep(levels, end)))
    assert.instanceOf(error, CyclicTree)
    assert.lengthOf(error.path, levels + 1)
  })
})

describe("isLeaf", () => {
  it("is asked about every node, null included, before it is taken apart", () => {
    const asked: Array<unknown> = []
    const isLeaf = (node: unknown): boolean => {
      asked.push(node)
      return node === null || Array.isArray(node)
    }
    assert.deepStrictEqual<unknown>(PyTree.leaves({ a: null, b: [1], c: 2 }, { isLeaf }), [null, [1], 2])
    assert.deepStrictEqual(asked, [{ a: null, b: [1], c: 2 }, null, [1], 2])
  })
  it("gets the path in functions with paths, and only there", () => {
    const isLeaf = (...args: ReadonlyArray<unknown>): boolean =>
      KeyPath.keystr((args[1] ?? []) as KeyPath.KeyPath) === "['a']"
    const tree = { a: [1], b: [2] }
    assert.lengthOf(PyTree.leaves(tree, { isLeaf }), 2)
    assert.deepStrictEqual<unknown>(
      PyTree.flattenWithPath(tree, { isLeaf })[0].map(([, leaf]) => leaf),
      [[1], 2]
    )
    assert.deepStrictEqual<unknown>(
      PyTree.mapWithPath(tree, (_, leaf) => JSON.stringify(leaf), { isLeaf }),
      { a: "[1]", b: ["2"] }
    )
  })
  it("applies to the first tree of map and to the prefix of broadcast", () => {
    const isPair = (node: unknown): node is [number, number] => Array.isArray(node) && node.length === 2
    assert.deepStrictEqual<unknown>(
      PyTree.map({ a: [1, 2] }, { a: { b: 3 } }, (pair, part) => [pair, part], { isLeaf: isPair }),
      { a: [[1, 2], { b: 3 }] }
    )
    assert.deepStrictEqual<unknown>(PyTree.broadcast([1, 2], { a: [0, 0] }, { isLeaf: isPair }), {
      a: [
        [1, 2],
        [1, 2]
      ]
    })
  })
})

describe("map", () => {
  it("takes its trees before or after the function", () => {
    assert.deepStrictEqual(
      pipe(
        { a: 1, b: [2] },
        PyTree.map((leaf: number) => leaf * 2)
      ),
      { a: 2, b: [4] }
    )
    const isArray = { isLeaf: (node: unknown): node is Array<number> => Array.isArray(node) }
    assert.deepStrictEqual<unknown>(
      pipe(
        { a: [1, 2] },
        PyTree.map((leaf: Array<number>) => leaf.length, isArray)
      ),
      { a: 2 }
    )
    assert.deepStrictEqual(
      pipe(
        { a: 1 },
        PyTree.mapWithPath((path, leaf: number) => `${KeyPath.keystr(path)}=${leaf}`)
      ),
      { a: "['a']=1" }
    )
  })
  it("takes a function as a tree", () => {
    const leaf = (): number => 1
    assert.strictEqual(
      PyTree.map(leaf, (f: () => number) => f()),
      1
    )
    assert.deepStrictEqual(
      PyTree.map([leaf], [leaf], (f, g) => f() + g()),
      [2]
    )
  })
  it("passes subtrees of the other trees whole, null and undefined as they are", () => {
    assert.deepStrictEqual(
      PyTree.map([1, 2], [[3, [4]], { b: 5 }], (_, part) => part),
      [[3, [4]], { b: 5 }]
    )
    assert.deepStrictEqual<unknown>(
      PyTree.map([1, 2], [null, undefined], (_, part) => String(part)),
      ["null", "undefined"]
    )
  })
  it("wants a null where the first tree has one", () => {
    assert.deepStrictEqual<unknown>(
      PyTree.map([null, 1], [undefined, 2], (a: unknown, b: unknown) => [a, b]),
      [null, [1, 2]]
    )
    assert.deepStrictEqual(
      rows(() => PyTree.map([null], [1], (x) => x)),
      [["[0]", "null", "a leaf"]]
    )
  })
  it("reports every differing path at once, and says which tree it is", () => {
    const params = {
      layers: [
        { w: 1, b: 2 },
        { w: 3, b: 4 }
      ],
      scale: null,
      tail: [5, 6]
    }
    const grads = {
      layers: [
        { w: 1, b: 2 },
        { w: 3, c: 4 }
      ],
      scale: 1,
      tail: [5, 6, 7]
    }
    assert.strictEqual(
      String(mismatch(() => PyTree.map(params, params, grads, (leaf) => leaf))),
      `StructureMismatch: PyTree.map: tree 3 and tree 1 differ in structure
  ['layers'][1]['b']   expected a leaf          found nothing
  ['layers'][1]['c']   expected nothing         found a leaf
  ['scale']            expected null            found a leaf
  ['tail']             expected an array of 2   found an array of 3
Pass a tree that has what is expected at these paths.`
    )
  })
  it("names only the first keys of an object that has many", () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]))
    const words = "an object with 'k0', 'k1', 'k10', 'k11', 'k12', 'k13', … (20 keys)"
    assert.deepStrictEqual(
      rows(() => PyTree.map(many, [], (x) => x)),
      [["", words, "an array of 0"]]
    )
  })
  it("refuses one key, element or child too many", () => {
    assert.deepStrictEqual(
      rows(() => PyTree.map({ a: 1 }, { a: 1, b: 2 }, (x) => x)),
      [["['b']", "nothing", "a leaf"]]
    )
    assert.deepStrictEqual(
      rows(() => PyTree.map([1], [1, 2], (x) => x)),
      [["", "an array of 1", "an array of 2"]]
    )
    assert.deepStrictEqual(
      rows(() => PyTree.map(new Labeled("a", [1]), new Labeled("a", [1, 2]), (x) => x)),
      [["", "test/Labeled[a] of 1", "test/Labeled[a] of 2"]]
    )
  })
  it("names what kinds of nodes it found", () => {
    const first = { a: [1], b: { x: 1 }, c: Option.some(1), d: new Point({ x: 1, y: 2 }), e: {}, f: 1 }
    const second = { a: { 0: 1 }, b: 1, c: Option.none(), d: { x: 1, y: 2 }, e: null, f: [1] }
    assert.deepStrictEqual(
      rows(() => PyTree.mapWithPath(first, second, (_, leaf) => leaf)),
      [
        ["['a']", "an array of 1", "an object with '0'"],
        ["['b']", "an object with 'x'", "a leaf"],
        ["['c']", "Option[Some] of 1", "Option[None] of 0"],
        ["['d']", "Point[x, y] of 2", "an object with 'x', 'y'"],
        ["['e']", "an empty object", "null"]
      ]
    )
  })
})

describe("flattenUpTo", () => {
  it("with exact wants leaves at the leaves", () => {
    const treedef = PyTree.structure({ a: 0, b: 0 })
    assert.deepStrictEqual(PyTree.flattenUpTo(treedef, { a: 1, b: new Date(0) }, { exact: true }), [1, new Date(0)])
    for (const part of [null, undefined, [], {}, Option.none(), new Point({ x: 1, y: 2 })]) {
      assert.lengthOf(
        rows(() => PyTree.flattenUpTo(treedef, { a: part, b: 1 }, { exact: true })),
        1
      )
    }
  })
  it("takes the words of its error from the caller", () => {
    const words = {
      operation: "Optimizer.update",
      subject: "the gradients",
      reference: "the parameters",
      hint: "Do so."
    }
    assert.strictEqual(
      String(mismatch(() => PyTree.flattenUpTo(PyTree.structure([0]), 1, words))),
      `StructureMismatch: Optimizer.update: the gradients and the parameters differ in structure
  (root)   expected an array of 1   found a leaf
Do so.`
    )
  })
  it("takes other key orders, and objects without a prototype", () => {
    const bare = Object.assign(Object.create(null) as object, { b: 2, a: 1 })
    assert.deepStrictEqual(PyTree.flattenUpTo(PyTree.structure({ a: 0, b: 0 }), bare), [1, 2])
  })
  it("does not take inherited or hidden properties for keys", () => {
    const treedef = PyTree.structure({ toString: 0 })
    assert.lengthOf(
      rows(() => PyTree.flattenUpTo(treedef, { a: 1 })),
      2
    )
    const hidden = Object.defineProperty({ a: 1 }, "toString", { value: 1, enumerable: false })
    assert.lengthOf(
      rows(() => PyTree.flattenUpTo(treedef, hidden)),
      2
    )
  })
})

describe("unflatten", () => {
  it("takes any iterable, and not one leaf too many from it", () => {
    const treedef = PyTree.structure([0, 0])
    function* naturals(): Generator<number> {
      for (let n = 0; ; n++) yield n
    }
    assert.deepStrictEqual(PyTree.unflatten(treedef, new Set([1, 2])), [1, 2])
    assert.deepStrictEqual(PyTree.unflatten(treedef, Float64Array.of(1, 2)), [1, 2])
    assert.deepInclude(
      thrown(() => PyTree.unflatten(treedef, naturals())),
      { expected: 2, found: 3 }
    )
  })
  it("wants the right number of leaves", () => {
    assert.strictEqual(
      String(thrown(() => PyTree.unflatten(PyTree.structure({ a: 0, b: [0, 0] }), [1, 2]))),
      `LeafCountMismatch: PyTree.unflatten: the number of leaves does not fit the structure
  leaves   expected 3   found 2
Pass one leaf for each * of the structure, in the order of PyTree.leaves.`
    )
    assert.deepInclude(
      thrown(() => PyTree.unflatten(PyTree.structure(null), [1, 2, 3])),
      { expected: 0, found: 3 }
    )
  })
})

describe("folds", () => {
  it("reduce goes from the left, in both forms", () => {
    assert.strictEqual(
      PyTree.reduce({ b: "c", a: ["a", "b"] }, "", (text, leaf) => `(${text}${leaf})`),
      "(((a)b)c)"
    )
    assert.strictEqual(
      pipe(
        ["a", "b"],
        PyTree.reduce("", (text: string, leaf: string) => text + leaf)
      ),
      "ab"
    )
    const whole = { isLeaf: (node: unknown): node is ReadonlyArray<number> => Array.isArray(node) }
    const count = (sum: number, leaf: ReadonlyArray<number>): number => sum + leaf.length
    assert.strictEqual(pipe([1, 2, 3], PyTree.reduce(0, count, whole)), 3)
    assert.strictEqual(
      PyTree.reduce(null, 7, (sum) => sum + 1),
      7
    )
  })
  it("reduceAssociative is balanced, and needs an identity only for an empty tree", () => {
    const pair = (left: string, right: string): string => `(${left}${right})`
    assert.strictEqual(PyTree.reduceAssociative(["a", "b", "c", "d", "e"], pair), "((ab)(c(de)))")
    assert.strictEqual(PyTree.reduceAssociative(["a"], pair, { identity: "x" }), "a")
    assert.strictEqual(PyTree.reduceAssociative<unknown, string>([null], pair, { identity: "x" }), "x")
    assert.strictEqual(
      String(thrown(() => PyTree.reduceAssociative<ReadonlyArray<string>>([], pair))),
      `EmptyTree: PyTree.reduceAssociative: the tree has no leaves
  (root)   expected at least one leaf   found none
Pass an identity: it is the result for a tree without leaves.`
    )
  })
  it("all is true of no leaves", () => {
    assert.isTrue(PyTree.all([null, {}, []]))
    assert.isTrue(PyTree.all([1, "a", true]))
    assert.isFalse(PyTree.all([1, { a: 0 }]))
    assert.isTrue(
      PyTree.all([[1, 2], [3]], (leaf) => Array.isArray(leaf), {
        isLeaf: (node: unknown): node is Array<number> => Array.isArray(node) && typeof node[0] === "number"
      })
    )
  })
})

describe("transpose", () => {
  it("infers the inner structure from the first subtree", () => {
    const tree = [
      { a: 1, b: [2] },
      { a: 3, b: [4] }
    ]
    assert.deepStrictEqual<unknown>(PyTree.transpose(PyTree.structure([0, 0]), null, tree), { a: [1, 3], b: [[2, 4]] })
  })
  it("refuses an inner structure with as many leaves but another shape", () => {
    const outer = PyTree.structure([0, 0])
    const error = mismatch(() => PyTree.transpose(outer, PyTree.structure({ a: 0, b: 0 }), [[1, 2], { a: 3, b: 4 }]))
    assert.strictEqual(
      String(error),
      `StructureMismatch: PyTree.transpose: the tree and outer ∘ inner differ in structure
  [0]   expected an object with 'a', 'b'   found an array of 2
Pass a tree that has what is expected at these paths.`
    )
    assert.deepStrictEqual(
      rows(() => PyTree.transpose(outer, null, [{ a: 1 }, { b: 1 }])),
      [
        ["[1]['a']", "a leaf", "nothing"],
        ["[1]['b']", "nothing", "a leaf"]
      ]
    )
    assert.deepStrictEqual(
      rows(() => PyTree.transpose(outer, null, [1])),
      [["", "an array of 2", "an array of 1"]]
    )
  })
  it("refuses a tree that is deeper than both structures", () => {
    const [outer, inner] = [PyTree.structure([0]), PyTree.structure({ a: 0 })]
    assert.deepStrictEqual(
      rows(() => PyTree.transpose(outer, inner, [{ a: [1] }])),
      [["[0]['a']", "a leaf", "an array of 1"]]
    )
  })
  it("cannot infer from an outer structure without leaves", () => {
    assert.strictEqual(
      String(thrown(() => PyTree.transpose(PyTree.structure([]), null, []))),
      `EmptyTree: PyTree.transpose: the tree has no leaves
  (root)   expected at least one leaf   found none
Pass the inner structure: an outer one without leaves does not show it.`
    )
    assert.deepStrictEqual(PyTree.transpose(PyTree.structure([]), PyTree.structure({ a: 0 }), []), { a: [] })
  })
  it("ends inner trees where isLeaf says", () => {
    const isPair = (node: unknown): boolean => Array.isArray(node) && node.length === 2
    const tree = { x: { a: [1, 2] }, y: { a: [3, 4] } }
    assert.deepStrictEqual<unknown>(
      PyTree.transpose(PyTree.structure({ x: 0, y: 0 }), null, tree, { isLeaf: isPair }),
      {
        a: { x: [1, 2], y: [3, 4] }
      }
    )
  })
})

describe("broadcast", () => {
  it("copies leaves over subtrees", () => {
    assert.deepStrictEqual<unknown>(PyTree.broadcast([1, 2, 3], [0, { a: 0, b: 0 }, [0, 0]]), [
      1,
      { a: 2, b: 2 },
      [3, 3]
    ])
    assert.deepStrictEqual<unknown>(PyTree.broadcast([1, null], [[null, 0], undefined]), [[null, 1], null])
  })
  it("refuses what is no prefix", () => {
    assert.strictEqual(
      String(mismatch(() => PyTree.broadcast({ a: 1, b: null }, { a: 1, b: 2, c: 3 }))),
      `StructureMismatch: PyTree.broadcast: the full tree and the prefix differ in structure
  ['b']   expected null      found a leaf
  ['c']   expected nothing   found a leaf
Pass a tree that has what is expected at these paths.`
    )
  })
})

describe("ravel", () => {
  it("is single precision only if that holds every leaf", () => {
    assert.instanceOf(PyTree.ravel([Float32Array.of(0.5), Int16Array.of(7)]).vector, Float32Array)
    for (const leaf of [1, Float64Array.of(1), Int32Array.of(2 ** 31 - 1), Uint32Array.of(2 ** 32 - 1)]) {
      const { unravel, vector } = PyTree.ravel([Float32Array.of(0.5), leaf])
      assert.instanceOf(vector, Float64Array)
      assert.deepStrictEqual(unravel(vector), [Float32Array.of(0.5), leaf])
    }
    assert.deepStrictEqual(PyTree.ravel({ a: null }).vector, new Float32Array(0))
  })
  it("does not share memory with the leaves", () => {
    const leaf = Float32Array.of(1, 2)
    const { unravel, vector } = PyTree.ravel([leaf])
    vector[0] = 9
    const [copy] = unravel(vector)
    vector[1] = 9
    assert.deepStrictEqual([leaf, copy], [Float32Array.of(1, 2), Float32Array.of(9, 2)])
  })
  it("names every leaf that is not made of numbers", () => {
    const tree = { a: "x", b: [1, BigInt64Array.of(1n), new Date()], c: new DataView(new ArrayBuffer(4)) }
    assert.strictEqual(
      String(thrown(() => PyTree.ravel(tree))),
      `UnsupportedLeaf: PyTree.ravel: some leaves are of the wrong kind
  ['a']      expected a number or a typed array   found string
  ['b'][1]   expected a number or a typed array   found BigInt64Array
  ['b'][2]   expected a number or a typed array   found Date
  ['c']      expected a number or a typed array   found DataView
Take these leaves out, or map them to numbers first.`
    )
  })
  it("wants a vector of the same length back", () => {
    const { unravel } = PyTree.ravel([1, Float32Array.of(2, 3)])
    assert.strictEqual(
      String(thrown(() => unravel([1, 2]))),
      `VectorLengthMismatch: PyTree.ravel (unravel): the vector does not fit the tree
  vector   expected 3 elements   found 2
Pass a vector as long as the one PyTree.ravel gave.`
    )
  })
  for (const count of [2, 300, 1020, 1021]) {
    const names = Array.from({ length: count }, (_, index) => `leaf${String(index).padStart(4, "0")}`)
    const treedef = PyTree.structure(Object.fromEntries(names.map((name) => [name, 0])))
    const numbers = names.map((_, index) => index)
    const entries = names.map((name, index) => [name, index] as const)
    const filled = (from: Iterable<readonly [string, unknown]>): Record<string, unknown> => {
      const object: Record<string, unknown> = {}
      for (const [name, value] of from) object[name] = value
      return object
    }
    it(`reads ${count} keys, however the object was made`, () => {
      const objects = [
        Object.fromEntries(entries),
        filled(entries),
        PyTree.unflatten(treedef, numbers),
        JSON.parse(JSON.stringify(Object.fromEntries(entries))),
        Object.fromEntries(entries.toReversed()),
        filled(entries.toReversed())
      ]
      for (const object of objects) {
        assert.deepStrictEqual(PyTree.flattenUpTo(treedef, object), numbers)
        const between = ["x", object, "y"]
        assert.deepStrictEqual(PyTree.flattenUpTo(PyTree.structure(between), between), ["x", ...numbers, "y"])
      }
    })
    it(`finds the one of ${count} keys that is missing, or too many, or hidden`, () => {
      const [first = ""] = names
      const wrong = [
        Object.fromEntries(entries.slice(1)),
        Object.fromEntries([...entries, ["more", 0]]),
        Object.fromEntries([...entries.slice(1), ["more", 0]]),
        Object.defineProperty(Object.fromEntries(entries), first, { enumerable: false })
      ]
      assert.deepStrictEqual(
        wrong.map((object) => rows(() => PyTree.flattenUpTo(treedef, object)).length),
        [1, 1, 2, 1]
      )
    })
  }
})
