/**
 * Trees of tensors as vectors: arithmetic, norms, moments, as effects on whole trees.
 *
 * The first tree says what the result looks like; others must have its structure and shapes, and nothing is broadcast.
 * Leaves are float32 tensors, numbers or typed arrays. A function is traced once for the shapes that it meets and runs
 * as one program, with one kernel for each leaf; what is measured comes back as a number. Trees that are given stay as they
 * are, trees that are made belong to the caller. All fail with `StructureMismatch`, `TensorMismatch`, `InvalidLeaf` or
 * `DisposedTensor`, which name the leaf. Where the first argument is a tree, it may also come last:
 * `grads.pipe(Effect.flatMap(TensorTree.scale(0.5)))`.
 *
 * What is done within a transform is written with `Leaves` and `Expr` instead, and becomes a part of its program.
 */
export { add, addScale, div, mul, scale, sub } from "./internal/trees/arithmetic.ts"
export { clip, type ClipBounds, where } from "./internal/trees/choices.ts"
export { cast, fullLike, type LikeOptions, onesLike, zerosLike } from "./internal/trees/constructors.ts"
export {
  allClose,
  type AllCloseOptions,
  max,
  min,
  norm,
  type NormOptions,
  size,
  sum,
  vdot
} from "./internal/trees/measures.ts"
export {
  biasCorrection,
  type BiasCorrectionOptions,
  type InfinityMomentOptions,
  type MomentOptions,
  updateInfinityMoment,
  updateMoment
} from "./internal/trees/moments.ts"
export type { Like, Made, Measured } from "./internal/trees/types.ts"
