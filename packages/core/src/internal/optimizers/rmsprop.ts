/** RMSProp. */
import type * as Schedules from "@optim/schedules"
import { add, div, ema, mul, sqrt, square, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, nonNegative, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `rmsprop` is made with. */
export interface RmspropOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** γ: the decay of the mean square, 0 ≤ γ < 1. Default 0.9. */
  readonly gamma?: number | undefined
  /** Added to the mean square inside the root, ≥ 0. Default 1e-8. */
  readonly eps?: number | undefined
}

/**
 * RMSProp: each element's step is divided by the root of the running mean of its squared gradients.
 *
 *     a ← γ·a + (1−γ)·g²
 *     x ← x − α(t)·g / √(a + eps)
 *
 * State: `x`, and the mean square `a`, zero at first and not bias-corrected.
 * Throws `InvalidHyperParameter` unless α ≥ 0, 0 ≤ γ < 1 and eps ≥ 0.
 * Source: Tieleman & Hinton 2012, lecture 6.5; `jax.example_libraries.optimizers.rmsprop`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const rmsprop = Optimizer.rmsprop({ stepSize: 1, gamma: 0.75, eps: 0 })
 *   const state = yield* rmsprop.update(0, [8, -0.5], yield* rmsprop.init([0, 0]))
 *   return rmsprop.params(state).map((x) => x.dataSync()[0])
 * })
 * // The first step is α/√(1−γ) = 2 long in every element.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-2, 2])
 * ```
 */
export const rmsprop = leafwise(({ eps = 1e-8, gamma = 0.9, stepSize }: RmspropOptions) => {
  const hyperParameters = check(
    "rmsprop",
    { stepSize, gamma, eps },
    { stepSize: stepSizeRange, gamma: decay, eps: nonNegative }
  )
  const rate = Scalar.schedule(stepSize)
  return {
    name: "rmsprop",
    hyperParameters,
    init: (x) => ({ x, a: zerosLike(x) }),
    update: (t, g, state) => {
      const a = ema(gamma, state.a, square(g))
      return { x: sub(state.x, div(mul(rate(t), g), sqrt(add(a, eps)))), a }
    },
    params: ({ x }) => x
  }
})
