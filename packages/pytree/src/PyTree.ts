/**
 * Trees of plain data: arrays, objects, `null` and registered classes around leaves of any kind.
 *
 * Every function here either takes a tree apart into leaves and structure, or puts one together; there is one traversal
 * behind them all, which never recurses. Structures as such are the matter of `TreeDef`, places in them of `KeyPath`.
 */
export { flatten, flattenUpTo, flattenWithPath, leaves, structure, unflatten } from "./internal/flatten.ts"
export { map, mapWithPath } from "./internal/map.ts"
export type { CheckOptions } from "./internal/mismatch.ts"
export { type Node, type NodeType, type Parts, symbol } from "./internal/nodeType.ts"
export type { Leaf, Mapped, Piece } from "./internal/types.ts"
