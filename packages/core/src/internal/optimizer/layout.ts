/**
 * Layouts: all that tracing needs to know of a state, without its numbers.
 */
import { KeyPath, TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Equal from "effect/Equal"
import type { DType, TensorSpec } from "../../Expr.ts"
import { isTensor } from "../tensorLike.ts"
import type { Donatable } from "./donation.ts"
import { ownLeaves, type Shown } from "./handles.ts"
import { InvalidLeaf } from "../../OptimError.ts"
import { describeLeaf, hasSpec, pathOf } from "../leaves.ts"

/** A state, whatever its slots. */
export interface AnyState extends Donatable, Shown {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
}

/** The structures of a state, and the shape and dtype of each of its tensors. */
export interface Layout {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
  readonly specs: ReadonlyArray<TensorSpec>
}

const dtypes: ReadonlyArray<string> = ["float32", "int32", "bool"] satisfies ReadonlyArray<DType>

/** Is this a dtype that optimizers compute with? */
export const isDType = (dtype: string): dtype is DType => dtypes.includes(dtype)

/** How the slot at an index of a state's leaves is named in messages: `['layers'][0] slot m`. */
export const slotPath = ({ subtreeDefs, treeDef }: AnyState, index: number): string => {
  let slot = index
  const leaf = subtreeDefs.findIndex(({ leafCount }) => {
    if (slot < leafCount) return true
    slot -= leafCount
    return false
  })
  const path = pathOf(treeDef, leaf)
  const def = subtreeDefs[leaf]
  const within = def === undefined ? [] : (TreeDef.paths(def)[slot] ?? [])
  if (within.length === 0) return path
  return `${path === "" ? "(root)" : path} slot ${KeyPath.keystr(within, { simple: true, separator: "." })}`
}

/** The spec of a leaf of a state; throws `InvalidLeaf` if it is no tensor. */
export const specOf = (leaf: unknown, path: () => string): TensorSpec => {
  if (isTensor(leaf) && isDType(leaf.dtype)) return { shape: leaf.shape, dtype: leaf.dtype }
  throw new InvalidLeaf({
    operation: "OptimizerState",
    faults: [{ path: path(), expected: "a tensor", found: describeLeaf(leaf) }]
  })
}

/** The layout of a state; throws `InvalidLeaf` if a leaf is no tensor. */
export const layoutOf = (state: AnyState): Layout => ({
  treeDef: state.treeDef,
  subtreeDefs: state.subtreeDefs,
  specs: state[ownLeaves].map((leaf, index) => specOf(leaf, () => slotPath(state, index)))
})

/** Same dtype, same sizes. */
export const sameSpec = (a: TensorSpec | undefined, b: TensorSpec | undefined): boolean => {
  if (a === undefined || b === undefined || a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false
  for (let axis = 0; axis < a.shape.length; axis++) if (a.shape[axis] !== b.shape[axis]) return false
  return true
}

/** All specs the same. */
export const sameSpecs = (a: ReadonlyArray<TensorSpec>, b: ReadonlyArray<TensorSpec>): boolean =>
  a.length === b.length && a.every((spec, index) => sameSpec(spec, b[index]))

/** Are these tensors alive, with these specs? In every step, for every tensor of a state. */
export const haveSpecs = (tensors: ReadonlyArray<Tensor>, specs: ReadonlyArray<TensorSpec>): boolean => {
  if (tensors.length !== specs.length) return false
  for (let index = 0; index < specs.length; index++) {
    const tensor = tensors[index]
    if (tensor === undefined || tensor.isDisposed || !hasSpec(tensor, specs[index])) return false
  }
  return true
}

/** Equal structures and specs. */
export const sameLayout = (a: Layout, b: Layout): boolean =>
  Equal.equals(a.treeDef, b.treeDef) &&
  a.subtreeDefs.length === b.subtreeDefs.length &&
  a.subtreeDefs.every((def, index) => Equal.equals(def, b.subtreeDefs[index])) &&
  sameSpecs(a.specs, b.specs)
