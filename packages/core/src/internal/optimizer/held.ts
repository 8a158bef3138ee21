/**
 * What an optimizer keeps beside the sub-trees of its leaves: the state of a transform, a tree of tensors and numbers.
 *
 * The tensors stand in the state's own list, so that whoever moves, counts or disposes tensors needs to know no more.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import { ownLeaves } from "./handles.ts"

/**
 * What a transform remembers, without its tensors: the structure of the tree, and what stands at its leaves, a number or
 * `undefined` for the next tensor.
 */
export interface Held {
  readonly treeDef: TreeDef.TreeDef
  readonly numbers: ReadonlyArray<number | undefined>
}

/** Where a state keeps it. */
export const ownHeld: unique symbol = Symbol.for("@optim/core/held")

/** The tree, given its tensors. */
export const joinHeld = ({ numbers, treeDef }: Held, tensors: ReadonlyArray<unknown>): unknown => {
  let next = 0
  return PyTree.unflatten(
    treeDef,
    numbers.map((number) => number ?? tensors[next++])
  )
}

/** The tree taken apart: numbers stay, whatever else stands at a leaf is taken for a tensor. */
export const splitHeld = <A>(tree: unknown): { readonly held: Held; readonly tensors: ReadonlyArray<A> } => {
  const [leaves, treeDef] = PyTree.flatten<unknown>(tree)
  const numbers = leaves.map((leaf: unknown) => (typeof leaf === "number" ? leaf : undefined))
  // Who calls this knows what its leaves are besides numbers.
  return { held: { treeDef, numbers }, tensors: leaves.filter((leaf) => typeof leaf !== "number") as ReadonlyArray<A> }
}

/** Something that keeps such a tree, behind the sub-trees. */
interface Holder {
  readonly [ownHeld]: Held | undefined
  readonly [ownLeaves]: ReadonlyArray<unknown>
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
}

/** The tree that a state keeps, with its own handles; `null` if it keeps none. */
export const heldTree = ({ [ownHeld]: held, [ownLeaves]: leaves, subtreeDefs }: Holder): unknown => {
  if (held === undefined) return null
  const start = subtreeDefs.reduce((count, def) => count + def.leafCount, 0)
  return joinHeld(held, leaves.slice(start))
}
