/** Adagrad with momentum. */
import type * as Schedules from "@optim/schedules"
import { add, div, ema, greater, mul, sqrt, square, sub, where, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `adagrad` is made with. */
export interface AdagradOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** β: the decay of the averaged step, 0 ≤ β < 1. Default 0.9. */
  readonly momentum?: number | undefined
}

/**
 * Adagrad: each element's step shrinks with the root of the sum of its squared gradients; the steps are averaged.
 *
 *     s ← s + g²
 *     m ← (1−β)·g/√s + β·m        (g/√s is 0 where s is 0)
 *     x ← x − α(t)·m
 *
 * State: `x`, the sum of squares `s` and the averaged step `m`, both zero at first. There is no eps.
 * Throws `InvalidHyperParameter` unless α ≥ 0 and 0 ≤ β < 1.
 * Source: Duchi, Hazan & Singer 2011; `jax.example_libraries.optimizers.adagrad`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const adagrad = Optimizer.adagrad({ stepSize: 1, momentum: 0 })
 *   const state = yield* adagrad.update(0, [16, -0.25, 0], yield* adagrad.init([0, 0, 0]))
 *   return adagrad.params(state).map((x) => x.dataSync()[0])
 * })
 * // The first step has one length whatever the gradient, and none where the gradient is 0.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, 1, 0])
 * ```
 */
export const adagrad = leafwise(({ momentum = 0.9, stepSize }: AdagradOptions) => {
  const hyperParameters = check("adagrad", { stepSize, momentum }, { stepSize: stepSizeRange, momentum: decay })
  const rate = Scalar.schedule(stepSize)
  return {
    name: "adagrad",
    hyperParameters,
    init: (x) => ({ x, s: zerosLike(x), m: zerosLike(x) }),
    update: (t, g, state) => {
      const s = add(state.s, square(g))
      const inverseRoot = where(greater(s, 0), div(1, sqrt(s)), 0)
      const m = ema(momentum, state.m, mul(g, inverseRoot))
      return { x: sub(state.x, mul(rate(t), m)), s, m }
    },
    params: ({ x }) => x
  }
})
