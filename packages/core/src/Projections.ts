/**
 * Projections: the nearest tree that meets a condition, for parameters that have to stay somewhere.
 *
 * All of Optax, under its names. A tree of tensors, numbers and typed arrays becomes a tree of tensors that belong to the
 * caller; what was given stays as it was, unless it was donated. A projection is one program over the whole tree, traced
 * once per structure and fused by the backend, and reads nothing back. In projected gradient descent it follows the
 * update.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { square, sum, type Tensor } from "@tensorflow/tfjs-core"
 * import { Autodiff, Optimizer, Projections } from "@optim/core"
 * import * as Wasm from "@optim/core/wasm"
 *
 * // The distribution with the least Σ p².
 * const sgd = Optimizer.sgd({ stepSize: 0.25 })
 * const program = Effect.gen(function*() {
 *   let p = yield* Projections.projectionSimplex(Float32Array.of(1, 0.5, 0.25, 0))
 *   for (let step = 0; step < 20; step++) {
 *     const grads = yield* Autodiff.grad((p: Tensor) => sum(square(p)))(p)
 *     const moved = yield* sgd.update(step, grads, yield* sgd.init(p), { donate: true })
 *     p = yield* Projections.projectionSimplex(sgd.params(moved), 1, { donate: true })
 *   }
 *   return p
 * })
 * const p = await Effect.runPromise(program.pipe(Effect.provide(Wasm.layer)))
 * assert.ok(p.dataSync().every((x) => Math.abs(x - 0.25) < 1e-3))
 * ```
 */
export {
  type Bound,
  projectionBox,
  projectionHypercube,
  projectionLinfBall,
  projectionNonNegative
} from "./internal/projections/box.ts"
export { projectionL2Ball, projectionL2Sphere } from "./internal/projections/l2.ts"
export {
  type Like,
  projectionHalfspace,
  projectionHyperplane,
  projectionVector
} from "./internal/projections/linear.ts"
export type { ProjectionOptions } from "./internal/projections/project.ts"
export { projectionL1Ball, projectionL1Sphere, projectionSimplex } from "./internal/projections/simplex.ts"
