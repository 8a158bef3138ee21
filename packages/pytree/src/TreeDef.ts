/**
 * Structures of trees, as values.
 *
 * A `TreeDef` is what remains of a tree without its leaves: it can be compared, hashed, printed, put into another one,
 * written to JSON, and filled with leaves (`PyTree.unflatten`). `PyTree.structure` takes it from a tree.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const treedef = PyTree.structure({ b: [1, 2], a: 3, c: null })
 * assert.strictEqual(String(treedef), "PyTreeDef({'a': *, 'b': [*, *], 'c': None})")
 * assert.strictEqual(TreeDef.leafCount(treedef), 3)
 * assert.strictEqual(TreeDef.nodeCount(treedef), 6)
 * assert.deepStrictEqual(TreeDef.children(treedef).map(String), ["PyTreeDef(*)", "PyTreeDef([*, *])", "PyTreeDef(None)"])
 * assert.deepStrictEqual(
 *   TreeDef.paths(treedef).map((path) => KeyPath.keystr(path)),
 *   ["['a']", "['b'][0]", "['b'][1]"]
 * )
 * ```
 */
import { codec, type schema } from "./internal/structure/codec.ts"
import { differences } from "./internal/structure/compare.ts"
import { type Def, fromRecords, recordsOf, type TreeDef } from "./internal/structure/def.ts"
import type { AnyNodeType } from "./internal/nodes/nodeType.ts"
import * as R from "./internal/structure/records.ts"
import { typeNamed } from "./internal/nodes/register.ts"
import { compose as composed } from "./internal/transpose.ts"
import type { Mapped } from "./internal/types.ts"
import type { KeyPath } from "./KeyPath.ts"
import type { Mismatch } from "./TreeError.ts"

export type { TreeDefJson } from "./internal/structure/codec.ts"
export { isTreeDef, type TreeDef } from "./internal/structure/def.ts"

/** The structure of a tree that is a single leaf. */
export const leaf: TreeDef = fromRecords([R.leaf])

/** Is this the structure of a single leaf? Not of `null`, nor of an empty container. */
export const isLeaf = (self: TreeDef): boolean => self.nodeCount === 1 && self.leafCount === 1

/** How many leaves a tree of this structure has. */
export const leafCount = (self: TreeDef): number => self.leafCount

/** How many nodes a tree of this structure has: containers, nulls and leaves. */
export const nodeCount = (self: TreeDef): number => self.nodeCount

/** The path of each leaf, in the order of the leaves. Worked out once for each `TreeDef`. */
export const paths = (self: TreeDef): ReadonlyArray<KeyPath> => (self as Def).paths

/** The structures of the root's children, in order; none for a leaf. */
export const children = (self: TreeDef): ReadonlyArray<TreeDef> => {
  const records = recordsOf(self)
  const ends = R.ends(records)
  const result: Array<TreeDef> = []
  for (let start = 1; start < records.length; start = ends[start]!) {
    result.push(fromRecords(records.slice(start, ends[start])))
  }
  return result
}

/**
 * The structure of a tree of structure `self` whose leaves are trees of structure `inner`: the leaves multiply.
 * Source: `PyTreeDef.compose` of JAX.
 *
 * @example
 * ```ts
 * import { PyTree, TreeDef } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const composed = TreeDef.compose(PyTree.structure([0, 0]), PyTree.structure({ a: 0, b: null }))
 * assert.strictEqual(String(composed), "PyTreeDef([{'a': *, 'b': None}, {'a': *, 'b': None}])")
 * ```
 */
export const compose = <T, I>(self: TreeDef<T>, inner: TreeDef<I>): TreeDef<Mapped<T, I>> => composed(self, inner)

/**
 * Every path at which two structures differ, left to right; none if they are equal. With `prefix`, a leaf of `expected`
 * agrees with anything.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const expected = PyTree.structure({ a: 0, b: [0, 0] })
 * const found = PyTree.structure({ a: [0], b: [0, null], c: 0 })
 * assert.deepStrictEqual(
 *   TreeDef.mismatches(expected, found).map((one) => [KeyPath.keystr(one.path), one.expected, one.found]),
 *   [["['a']", "a leaf", "an array of 1"], ["['b'][1]", "a leaf", "null"], ["['c']", "nothing", "a leaf"]]
 * )
 * ```
 */
export const mismatches = (
  expected: TreeDef,
  found: TreeDef,
  options: { readonly prefix?: boolean | undefined } = {}
): ReadonlyArray<Mismatch> =>
  differences(recordsOf(expected), recordsOf(found), options.prefix === true ? "prefix" : "exact")

/**
 * Codec of structures to JSON: the list of their nodes, parents before children. A leaf is `"*"`, an array its length,
 * an object its keys, a null `null`, a custom node its name, number of children and metadata.
 *
 * Knows `Option`, `Chunk` and what was given to `PyTree.register`; other custom nodes fail, in both directions.
 *
 * @example
 * ```ts
 * import { PyTree, TreeDef } from "@optim/pytree"
 * import * as Equal from "effect/Equal"
 * import * as Schema from "effect/Schema"
 * import * as assert from "node:assert"
 *
 * const treedef = PyTree.structure({ a: 1, b: [2, null] })
 * const json = Schema.encodeSync(TreeDef.schema)(treedef)
 * assert.deepStrictEqual(json, [["a", "b"], "*", 2, "*", null])
 * assert.ok(Equal.equals(Schema.decodeUnknownSync(TreeDef.schema)(json), treedef))
 * ```
 */
export { schema } from "./internal/structure/codec.ts"

/**
 * Like `schema`, and knows these node types, too: for classes that carry their node type and are not registered.
 *
 * @example
 * ```ts
 * import { PyTree, TreeDef } from "@optim/pytree"
 * import * as Schema from "effect/Schema"
 * import * as assert from "node:assert"
 *
 * const boxType: PyTree.NodeType<Box> = {
 *   name: "Box",
 *   flatten: ({ content }) => ({ children: [content] }),
 *   unflatten: (_, [content]) => new Box(content)
 * }
 * class Box {
 *   readonly content: unknown
 *   constructor(content: unknown) {
 *     this.content = content
 *   }
 *   get [PyTree.symbol](): PyTree.NodeType<Box> {
 *     return boxType
 *   }
 * }
 *
 * const json = Schema.encodeSync(TreeDef.schemaWith([boxType]))(PyTree.structure(new Box([1])))
 * assert.deepStrictEqual(json, [{ node: "Box", arity: 1 }, 1, "*"])
 * ```
 */
export const schemaWith = (nodeTypes: ReadonlyArray<AnyNodeType>): typeof schema => {
  const named = new Map<string | undefined, AnyNodeType>(nodeTypes.map((type) => [type.name, type]))
  return codec((name) => named.get(name) ?? typeNamed(name))
}
