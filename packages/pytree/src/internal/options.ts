/** The option that many functions on trees share: which nodes count as leaves. */
import type { KeyPath } from "../KeyPath.ts"
import type { IsLeaf } from "./walk/traverse.ts"

/**
 * Which nodes are to be taken as leaves, besides those that are. It is asked about every node, `null` included.
 *
 * A type guard tells the compiler the type of the leaves; with any other predicate they are `unknown`.
 */
export interface Options<L> {
  readonly isLeaf?: ((node: unknown) => node is L) | ((node: unknown) => boolean) | undefined
}

/** The same, for functions that tell the path of a node too. */
export interface PathOptions<L> {
  readonly isLeaf?:
    | ((node: unknown, path: KeyPath) => node is L)
    | ((node: unknown, path: KeyPath) => boolean)
    | undefined
}

/** The predicate of the options, as the traversal calls it. */
export const isLeafOf = ({ isLeaf }: Options<unknown> = {}): IsLeaf | undefined =>
  isLeaf === undefined ? undefined : (node) => isLeaf(node)

/** The predicate of the options, as the traversal calls it. */
export const isLeafWithPathOf = ({ isLeaf }: PathOptions<unknown> = {}): IsLeaf | undefined =>
  isLeaf === undefined ? undefined : (node, path) => isLeaf(node, path())
