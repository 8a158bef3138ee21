/**
 * The leaves of a state in one order: the tensors of its sub-trees, then what its transform remembers, tensors and numbers
 * as they stand in its tree.
 *
 * A state keeps its tensors in one list and the numbers apart (`Held`); names, paths and specs go by this order.
 */
import type { Held } from "@optim/core/OptimizerState"
import type { TreeDef } from "@optim/pytree"

/** The structures of a state. */
export interface Structure {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
  /** What a transform remembers beside the sub-trees. */
  readonly transform?: Pick<Held, "treeDef"> | undefined
}

/** How many leaves the sub-trees have. */
export const subtreeLeaves = ({ subtreeDefs }: Structure): number =>
  subtreeDefs.reduce((count, { leafCount }) => count + leafCount, 0)

/** The leaves: something for each tensor of a state, and the numbers of its transform. */
export const joined = <A>(
  tensors: ReadonlyArray<A>,
  structure: Structure & { readonly transform?: Held | undefined }
): ReadonlyArray<A | number> => {
  const { transform } = structure
  if (transform === undefined) return tensors
  let next = subtreeLeaves(structure)
  const remembered = transform.numbers.flatMap((number): ReadonlyArray<A | number> =>
    number === undefined ? tensors.slice(next, ++next) : [number]
  )
  return [...tensors.slice(0, subtreeLeaves(structure)), ...remembered, ...tensors.slice(next)]
}

const isNumber = (leaf: unknown): leaf is number => typeof leaf === "number"

/** The leaves apart again: what is no number is a tensor. */
export const separated = <A>(
  leaves: ReadonlyArray<A | number>,
  structure: Structure
): { readonly tensors: ReadonlyArray<A>; readonly transform: Held | undefined } => {
  const tensors = leaves.filter((leaf): leaf is A => !isNumber(leaf))
  const numbers = leaves.slice(subtreeLeaves(structure)).map((leaf) => (isNumber(leaf) ? leaf : undefined))
  const { transform } = structure
  return { tensors, transform: transform === undefined ? undefined : { treeDef: transform.treeDef, numbers } }
}
