/**
 * Optimizers: triples `{ init, update, params }` of pure effects on trees of tensors.
 *
 * The nine of `jax.example_libraries.optimizers`, with its numerics, and `leafwise` to write others. Each optimizer is a
 * file of its own; this module only gathers them.
 */
export { adagrad, type AdagradOptions } from "./internal/optimizers/adagrad.ts"
export { adam, type AdamOptions } from "./internal/optimizers/adam.ts"
export { adamax, type AdamaxOptions } from "./internal/optimizers/adamax.ts"
export { momentum, type MomentumOptions } from "./internal/optimizers/momentum.ts"
export { nesterov, type NesterovOptions } from "./internal/optimizers/nesterov.ts"
export { rmsprop, type RmspropOptions } from "./internal/optimizers/rmsprop.ts"
export { rmspropMomentum, type RmspropMomentumOptions } from "./internal/optimizers/rmspropMomentum.ts"
export { sgd, type SgdOptions } from "./internal/optimizers/sgd.ts"
export { sm3, type Sm3Options } from "./internal/optimizers/sm3.ts"

export type { TensorLike } from "./internal/leaves.ts"
export type { HyperParameter, HyperParameters } from "./internal/optimizer/hyperParameters.ts"
export { clipped, type ClippedOptions } from "./internal/optimizer/clipped.ts"
export { explain } from "./internal/optimizer/explain.ts"
export { fromTransform } from "./internal/transform/fromTransform.ts"
export { leafwise } from "./internal/optimizer/leafwise.ts"
export { clipGrads, type ClipOptions, l2Norm } from "./internal/optimizer/norms.ts"
export type {
  Any,
  Gradients,
  Init,
  LeafRule,
  Optimizer,
  Params,
  Promoted,
  Slots,
  Step,
  Traced,
  Update,
  UpdateOptions
} from "./internal/optimizer/rule.ts"
export type { StepSize } from "@optim/schedules"
