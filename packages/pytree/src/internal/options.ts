/** Options that the functions on trees have in common. */
import type { KeyPath } from "../KeyPath.ts"

/** Which nodes are to be taken as leaves, besides those that are: asked of every node, `null` included. */
export interface IsLeafOption<L> {
  readonly isLeaf?: ((node: unknown) => node is L) | ((node: unknown) => boolean) | undefined
}

/** The same, for functions that know the path of a node. */
export interface IsLeafWithPathOption<L> {
  readonly isLeaf?:
    | ((node: unknown, path: KeyPath) => node is L)
    | ((node: unknown, path: KeyPath) => boolean)
    | undefined
}
