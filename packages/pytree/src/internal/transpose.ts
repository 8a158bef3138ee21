/**
 * Two trees in one: exchanging an outer and an inner structure, spreading a prefix over a full tree.
 */
import { EmptyTree, StructureMismatch } from "../TreeError.ts"
import { checked } from "./walk/check.ts"
import { differences } from "./structure/compare.ts"
import { fromRecords, recordsOf, type TreeDef } from "./structure/def.ts"
import { isLeafOf, type Options } from "./options.ts"
import { put } from "./walk/put.ts"
import * as R from "./structure/records.ts"
import { take } from "./walk/take.ts"
import type { IsLeaf } from "./walk/traverse.ts"
import type { Leaf, Mapped, Piece } from "./types.ts"

const operation = "PyTree.transpose"

/** The structure of what lies at the first leaf of the outer structure. */
const inferInner = (outer: TreeDef, tree: unknown, isLeaf: IsLeaf | undefined): TreeDef => {
  if (outer.leafCount === 0) {
    throw new EmptyTree({ operation, hint: "Pass the inner structure: an outer one without leaves does not show it." })
  }
  const [first] = checked(outer, tree, { reference: "the outer structure" }, operation)
  return take(first, operation, isLeaf).def
}

/**
 * Exchanges the outer and the inner structure of a tree: of a list of objects it makes an object of lists.
 *
 * The tree must have the structure `TreeDef.compose(outer, inner)`. With `null` for `inner`, the inner structure is that
 * of the subtree at the first leaf of `outer`; all others must agree with it. `isLeaf` says where inner trees end.
 *
 * Throws StructureMismatch with all differing paths, and EmptyTree if `inner` is `null` and `outer` has no leaf.
 * Source: `jax.tree.transpose`, which compares only the numbers of leaves.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const states = { w: { m: 1, v: 2 }, b: { m: 3, v: 4 } }
 * const byName = PyTree.transpose(PyTree.structure({ w: 0, b: 0 }), null, states)
 * assert.deepStrictEqual(byName, { m: { w: 1, b: 3 }, v: { w: 2, b: 4 } })
 * ```
 */
export const transpose: {
  <O, T>(outer: TreeDef<O>, inner: null, tree: T): Mapped<Piece<O, T>, Mapped<O, Leaf<T>>>
  <O, I, T>(outer: TreeDef<O>, inner: TreeDef<I>, tree: T): Mapped<I, Mapped<O, Leaf<T>>>
  <O, T, L = unknown>(
    outer: TreeDef<O>,
    inner: null,
    tree: T,
    options: Options<L>
  ): Mapped<Piece<O, T>, Mapped<O, Leaf<T, L>>, L>
  <O, I, T, L = unknown>(
    outer: TreeDef<O>,
    inner: TreeDef<I>,
    tree: T,
    options: Options<L>
  ): Mapped<I, Mapped<O, Leaf<T, L>>>
} = (outer: TreeDef, inner: TreeDef | null, tree: unknown, options?: Options<unknown>): never => {
  const isLeaf = isLeafOf(options)
  const innerDef = inner ?? inferInner(outer, tree, isLeaf)
  const expected = compose(outer, innerDef)
  const { def: found, leaves } = take(tree, operation, isLeaf)
  if (!R.equals(recordsOf(expected), recordsOf(found))) {
    const mismatches = differences(recordsOf(expected), recordsOf(found), "exact")
    throw new StructureMismatch({ operation, reference: "outer ∘ inner", expected, found, mismatches })
  }
  const columns = Array.from({ length: innerDef.leafCount }, (_, column) =>
    put(
      recordsOf(outer),
      Array.from({ length: outer.leafCount }, (_, row) => leaves[row * innerDef.leafCount + column])
    )
  )
  // the overloads say what it is
  return put(recordsOf(innerDef), columns) as never
}

/** The structure of a tree of structure `outer` whose leaves are trees of structure `inner`. */
export const compose = (outer: TreeDef, inner: TreeDef): TreeDef<never> =>
  fromRecords(recordsOf(outer).flatMap((record) => (record.kind === R.Leaf ? recordsOf(inner) : [record])))

/**
 * Copies each leaf of a prefix over the subtree that `full` has at its place; the result has the structure of `full`.
 *
 * `isLeaf` applies to the prefix. Throws StructureMismatch, with all differing paths, unless `prefix` is a prefix of
 * `full`; a `null` matches only a `null`.
 * Source: `jax.tree.broadcast`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const rates = PyTree.broadcast({ encoder: 0.1, head: 1 }, { encoder: { w: "a", b: "b" }, head: ["c", "d"] })
 * assert.deepStrictEqual(rates, { encoder: { w: 0.1, b: 0.1 }, head: [1, 1] })
 * ```
 */
export const broadcast: {
  <P, F>(prefix: P, full: F): Mapped<F, Leaf<P>>
  <P, F, L = unknown>(prefix: P, full: F, options: Options<L>): Mapped<F, Leaf<P, L>>
} = (prefix: unknown, full: unknown, options?: Options<unknown>): never => {
  const operation = "PyTree.broadcast"
  const { def, leaves } = take(prefix, operation, isLeafOf(options))
  const parts = checked(def, full, { subject: "the full tree", reference: "the prefix" }, operation)
  const copies = parts.flatMap((part, index) => take(part, operation).leaves.map(() => leaves[index]))
  // the overloads say what it is
  return put(recordsOf(take(full, operation).def), copies) as never
}
