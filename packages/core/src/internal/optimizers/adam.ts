/** Adam. */
import type * as Schedules from "@optim/schedules"
import { add, debias, div, ema, mul, sqrt, square, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, nonNegative, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `adam` is made with. */
export interface AdamOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: number | undefined
  /** The decay of the mean of squared gradients, 0 ≤ b2 < 1. Default 0.999. */
  readonly b2?: number | undefined
  /** Added to the root of the mean square, ≥ 0. Default 1e-8. */
  readonly eps?: number | undefined
}

/**
 * Adam: a step along the mean gradient, scaled per element by the root of its mean square.
 *
 *     m ← (1−b1)·g + b1·m            m̂ = m / (1 − b1^(t+1))
 *     v ← (1−b2)·g² + b2·v           v̂ = v / (1 − b2^(t+1))
 *     x ← x − α(t)·m̂ / (√v̂ + eps)                              t = 0, 1, …
 *
 * State: `x`, the mean `m` and the mean square `v`, both zero at first. The state does not count steps: the caller's
 * step decides the bias correction. Throws `InvalidHyperParameter` unless α ≥ 0, 0 ≤ b1, b2 < 1 and eps ≥ 0.
 * Source: Kingma & Ba 2015, Algorithm 1; `jax.example_libraries.optimizers.adam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const adam = Optimizer.adam({ stepSize: 0.5, eps: 0 })
 *   const state = yield* adam.update(0, [1000, -1e-6], yield* adam.init([1, 1]))
 *   return adam.params(state).map((x) => x.dataSync()[0]?.toFixed(5))
 * })
 * // The first step moves every element by the learning rate, whatever the size of its gradient.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["0.50000", "1.50000"])
 * ```
 */
export const adam = leafwise(({ b1 = 0.9, b2 = 0.999, eps = 1e-8, stepSize }: AdamOptions) => {
  const ranges = { stepSize: stepSizeRange, b1: decay, b2: decay, eps: nonNegative }
  const hyperParameters = check("adam", { stepSize, b1, b2, eps }, ranges)
  const rate = Scalar.schedule(stepSize)
  return {
    name: "adam",
    hyperParameters,
    init: (x) => ({ x, m: zerosLike(x), v: zerosLike(x) }),
    update: (t, g, state) => {
      const m = ema(b1, state.m, g) // first moment
      const v = ema(b2, state.v, square(g)) // second moment, uncentred
      // m̂ / (√v̂ + eps) in the order that the paper's section 2 advises: what is corrected are numbers, not tensors.
      const root = sqrt(debias(b2, t))
      const corrected = mul(rate(t), div(root, debias(b1, t)))
      return { x: sub(state.x, div(mul(corrected, m), add(sqrt(v), mul(root, eps)))), m, v }
    },
    params: ({ x }) => x
  }
})
