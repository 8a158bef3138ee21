/**
 * Trees of plain data: arrays, objects, `null` and registered classes around leaves of any kind.
 *
 * Every function here either takes a tree apart into leaves and structure, or puts one together; there is one traversal
 * behind them all, which never recurses. Structures as such are the matter of `TreeDef`, places in them of `KeyPath`.
 */
export type { CheckOptions } from "./internal/walk/check.ts"
export { fields, type FieldsOptions, register } from "./internal/nodes/customize.ts"
export type { FixedFields } from "./internal/nodes/fields.ts"
export { flatten, flattenUpTo, flattenWithPath, leaves, structure, unflatten } from "./internal/flatten.ts"
export { all, type AssociativeOptions, reduce, reduceAssociative } from "./internal/fold.ts"
export { map, mapWithPath } from "./internal/map.ts"
export { type Node, type NodeType, type Parts, symbol } from "./internal/nodes/nodeType.ts"
export type { Options, PathOptions } from "./internal/options.ts"
export { ravel, type Raveled } from "./internal/ravel.ts"
export { broadcast, transpose } from "./internal/transpose.ts"
export type { AllLeaves, Leaf, Mapped, Marked, Piece } from "./internal/types.ts"
