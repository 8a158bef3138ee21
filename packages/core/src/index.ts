/**
 * Optimizers for TensorFlow.js as pure, typed Effect programs.
 *
 * Backends are sub-paths of their own (`@optim/core/wasm`, `@optim/core/cpu`), so that nobody loads what they do not use.
 */
export * as Autodiff from "./Autodiff.ts"
export * as Expr from "./Expr.ts"
export * as Leaves from "./Leaves.ts"
export * as Losses from "./Losses.ts"
export * from "./OptimError.ts"
export * as Optimizer from "./Optimizer.ts"
export * as OptimizerState from "./OptimizerState.ts"
export * as Plan from "./Plan.ts"
export * as Program from "./Program.ts"
export * as Projections from "./Projections.ts"
export * as Scalar from "./Scalar.ts"
export * as TensorTree from "./TensorTree.ts"
export * as Tensors from "./Tensors.ts"
export * as Train from "./Train.ts"
export * as Transform from "./Transform.ts"
