/**
 * Structures of trees, as values.
 *
 * A `TreeDef` is what remains of a tree without its leaves: it can be compared, hashed, printed, put into another one,
 * written to JSON, and filled with leaves (`PyTree.unflatten`). It is taken from a tree with `PyTree.structure`.
 */
import { type Def, fromRecords, recordsOf, type TreeDef } from "./internal/def.ts"
import * as R from "./internal/records.ts"
import type { KeyPath } from "./KeyPath.ts"

export { isTreeDef, type TreeDef } from "./internal/def.ts"
export { schema } from "./internal/codec.ts"

/** The structure of a single leaf. */
export const leaf: TreeDef = fromRecords([R.leaf])

/** How many leaves a tree of this structure has. */
export const leafCount = (self: TreeDef): number => self.leafCount

/** How many nodes a tree of this structure has: containers, nulls and leaves. */
export const nodeCount = (self: TreeDef): number => self.nodeCount

/** The path of each leaf, in the order of the leaves. Made once for each `TreeDef`. */
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

/** The structure of a tree of structure `self` whose leaves are trees of structure `inner`. */
export const compose = (self: TreeDef, inner: TreeDef): TreeDef =>
  fromRecords(recordsOf(self).flatMap((record) => (record.kind === R.Leaf ? recordsOf(inner) : [record])))
