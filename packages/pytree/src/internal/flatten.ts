/** Leaves and structure of a tree, and back. */
import type { KeyPath } from "../KeyPath.ts"
import { LeafCountMismatch } from "../TreeError.ts"
import { type Def, recordsOf, type TreeDef } from "./def.ts"
import { type CheckOptions, mismatch } from "./mismatch.ts"
import type { IsLeafOption, IsLeafWithPathOption } from "./options.ts"
import { put } from "./put.ts"
import { take } from "./take.ts"
import { takeUpTo } from "./takeUpTo.ts"
import type { Leaf, Mapped } from "./types.ts"

export const flatten: {
  <T>(tree: T): readonly [leaves: Array<Leaf<T>>, treedef: TreeDef<T>]
  <T, L = unknown>(tree: T, options: IsLeafOption<L>): readonly [leaves: Array<Leaf<T, L>>, treedef: TreeDef<T>]
} = (tree: unknown, options?: IsLeafOption<unknown>) => {
  const { def, leaves } = take(tree, "PyTree.flatten", options?.isLeaf)
  // the traversal knows no types; `Leaf` describes what it collects
  return [leaves as Array<never>, def] as const
}

export const leaves: {
  <T>(tree: T): Array<Leaf<T>>
  <T, L = unknown>(tree: T, options: IsLeafOption<L>): Array<Leaf<T, L>>
} = (tree: unknown, options?: IsLeafOption<unknown>) =>
  take(tree, "PyTree.leaves", options?.isLeaf).leaves as Array<never>

export const structure = <T>(tree: T, options?: IsLeafOption<unknown>): TreeDef<T> =>
  take(tree, "PyTree.structure", options?.isLeaf).def

export const flattenWithPath: {
  <T>(tree: T): readonly [leaves: Array<readonly [KeyPath, Leaf<T>]>, treedef: TreeDef<T>]
  <T, L = unknown>(
    tree: T,
    options: IsLeafWithPathOption<L>
  ): readonly [leaves: Array<readonly [KeyPath, Leaf<T, L>]>, treedef: TreeDef<T>]
} = (tree: unknown, options?: IsLeafWithPathOption<unknown>) => {
  const { def, leaves } = take(tree, "PyTree.flattenWithPath", options?.isLeaf, true)
  const { paths } = def as Def
  return [leaves.map((leaf, index) => [paths[index]!, leaf as never] as const), def] as const
}

/** The leaves as an array; of an iterable, no more than one too many are drawn. */
const atMost = (leaves: Iterable<unknown>, count: number): ArrayLike<unknown> => {
  if (Array.isArray(leaves)) return leaves
  const drawn: Array<unknown> = []
  for (const leaf of leaves) if (drawn.push(leaf) > count) break
  return drawn
}

export const unflatten = <T, B>(treedef: TreeDef<T>, leaves: Iterable<B>): Mapped<T, B> => {
  const given = atMost(leaves, treedef.leafCount)
  if (given.length !== treedef.leafCount) {
    throw new LeafCountMismatch({ operation: "PyTree.unflatten", expected: treedef.leafCount, found: given.length })
  }
  return put(recordsOf(treedef), given) as Mapped<T, B>
}

export const flattenUpTo = (treedef: TreeDef, tree: unknown, options: CheckOptions = {}): Array<unknown> => {
  const parts = takeUpTo(recordsOf(treedef), tree)
  if (parts !== undefined) return parts
  throw mismatch(treedef, take(tree, options.operation ?? "PyTree.flattenUpTo").def, "prefix", options)
}
