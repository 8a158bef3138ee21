/**
 * Leaves and structure of a tree, and back.
 */
import type { KeyPath } from "../KeyPath.ts"
import { LeafCountMismatch } from "../TreeError.ts"
import { recordsOf, type TreeDef } from "./structure/def.ts"
import { type CheckOptions, checked } from "./walk/check.ts"
import { isLeafOf, isLeafWithPathOf, type Options, type PathOptions } from "./options.ts"
import { put } from "./walk/put.ts"
import { take } from "./walk/take.ts"
import type { Leaf, Mapped, Marked } from "./types.ts"

/**
 * Takes a tree apart into its leaves, left to right, and its structure.
 *
 * Arrays, plain objects, `Option`, `Chunk`, instances of `Data.Class` and `Schema.Class` and registered classes are
 * nodes; keys are taken in ascending order of their UTF-16 code units. `null` is a node without children, and
 * `undefined` counts as `null`. All else is a leaf. Properties with symbol keys are not part of a tree.
 *
 * Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.flatten`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const [leaves, treedef] = PyTree.flatten({ b: [2, 3], a: 1, c: null })
 * assert.deepStrictEqual(leaves, [1, 2, 3])
 * assert.strictEqual(String(treedef), "PyTreeDef({'a': *, 'b': [*, *], 'c': None})")
 * assert.deepStrictEqual(PyTree.unflatten(treedef, leaves), { a: 1, b: [2, 3], c: null })
 * ```
 */
export const flatten: {
  <T>(tree: T): readonly [leaves: Array<Leaf<T>>, treedef: TreeDef<T>]
  <T, L = unknown>(tree: T, options: Options<L>): readonly [leaves: Array<Leaf<T, L>>, treedef: TreeDef<Marked<T, L>>]
} = (tree: unknown, options?: Options<unknown>) => {
  const { def, leaves } = take(tree, "PyTree.flatten", isLeafOf(options))
  // the traversal knows no types: the overloads say what it collects
  return [leaves as Array<never>, def] as const
}

/**
 * The leaves of a tree, left to right. Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.leaves`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * assert.deepStrictEqual(PyTree.leaves({ b: 2, a: [1, null] }), [1, 2])
 * const isPair = (node: unknown): node is [number, number] => Array.isArray(node) && node.length === 2
 * assert.deepStrictEqual(PyTree.leaves({ b: [3, 4], a: [[1, 2]] }, { isLeaf: isPair }), [[1, 2], [3, 4]])
 * ```
 */
export const leaves: {
  <T>(tree: T): Array<Leaf<T>>
  <T, L = unknown>(tree: T, options: Options<L>): Array<Leaf<T, L>>
} = (tree: unknown, options?: Options<unknown>) =>
  // as above
  take(tree, "PyTree.leaves", isLeafOf(options)).leaves as Array<never>

/**
 * The structure of a tree. Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.structure`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as Equal from "effect/Equal"
 * import * as assert from "node:assert"
 *
 * assert.ok(Equal.equals(PyTree.structure({ a: 1, b: 2 }), PyTree.structure({ b: "x", a: "y" })))
 * assert.ok(!Equal.equals(PyTree.structure({ a: 1, b: null }), PyTree.structure({ a: 1 })))
 * ```
 */
export const structure: {
  <T>(tree: T): TreeDef<T>
  <T, L = unknown>(tree: T, options: Options<L>): TreeDef<Marked<T, L>>
} = (tree: unknown, options?: Options<unknown>) => take(tree, "PyTree.structure", isLeafOf(options)).def

/**
 * The leaves of a tree with their paths, and its structure. The `isLeaf` predicate gets the path of each node, too.
 *
 * Memory grows with the length of all paths together, so a chain of n levels with a leaf on each costs n² keys.
 * Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.flatten_with_path`.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const [leaves] = PyTree.flattenWithPath({ layers: [{ w: 1, b: 2 }] })
 * assert.deepStrictEqual(
 *   leaves.map(([path, leaf]) => [KeyPath.keystr(path), leaf]),
 *   [["['layers'][0]['b']", 2], ["['layers'][0]['w']", 1]]
 * )
 * ```
 */
export const flattenWithPath: {
  <T>(tree: T): readonly [leaves: Array<readonly [KeyPath, Leaf<T>]>, treedef: TreeDef<T>]
  <T, L = unknown>(
    tree: T,
    options: PathOptions<L>
  ): readonly [leaves: Array<readonly [KeyPath, Leaf<T, L>]>, treedef: TreeDef<Marked<T, L>>]
} = (tree: unknown, options?: PathOptions<unknown>) => {
  const { def, leaves } = take(tree, "PyTree.flattenWithPath", isLeafWithPathOf(options))
  const { paths } = def
  // as above
  return [leaves.map((leaf, index) => [paths[index]!, leaf as never] as const), def] as const
}

/** The leaves as an array; of an iterable, at most one too many are drawn. */
const drawn = (leaves: Iterable<unknown>, count: number): ReadonlyArray<unknown> => {
  if (Array.isArray(leaves)) return leaves
  const result: Array<unknown> = []
  for (const leaf of leaves) if (result.push(leaf) > count) break
  return result
}

/**
 * The tree with this structure and these leaves, in the order of `flatten`.
 *
 * Objects are made anew, with sorted keys; keys such as `__proto__` are kept as own data. Class instances are rebuilt
 * without running their constructors.
 *
 * Throws LeafCountMismatch unless there are exactly as many leaves as the structure has.
 * Source: `jax.tree.unflatten`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const treedef = PyTree.structure({ w: 0, b: [0, 0] })
 * assert.deepStrictEqual(PyTree.unflatten(treedef, ["x", "y", "z"]), { b: ["x", "y"], w: "z" })
 * assert.throws(() => PyTree.unflatten(treedef, [1]), { name: "LeafCountMismatch" })
 * ```
 */
export const unflatten = <T, B>(treedef: TreeDef<T>, leaves: Iterable<B>): Mapped<T, B> => {
  const expected = treedef.leafCount
  const given = drawn(leaves, expected)
  if (given.length !== expected) {
    throw new LeafCountMismatch({ operation: "PyTree.unflatten", expected, found: given.length })
  }
  // what is put together has this type by the structure's own type
  return put(recordsOf(treedef), given) as Mapped<T, B>
}

/**
 * What lies in `tree` at the leaves of a structure, which the tree must have at least as a *prefix*: where the structure
 * has a leaf, the tree may have a whole subtree. With `exact`, it must have a leaf there too.
 *
 * The other options name the operation and the trees in the error. Throws StructureMismatch with all differing paths.
 * Source: `PyTreeDef.flatten_up_to` of JAX.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const treedef = PyTree.structure({ w: 0, b: 0 })
 * const tree = { w: { m: 1, v: 2 }, b: 3 }
 * assert.deepStrictEqual(PyTree.flattenUpTo(treedef, tree), [3, { m: 1, v: 2 }])
 * assert.throws(() => PyTree.flattenUpTo(treedef, tree, { exact: true }), { name: "StructureMismatch" })
 * ```
 */
export const flattenUpTo = (treedef: TreeDef, tree: unknown, options: CheckOptions = {}): Array<unknown> =>
  checked(treedef, tree, options, options.operation ?? "PyTree.flattenUpTo")
