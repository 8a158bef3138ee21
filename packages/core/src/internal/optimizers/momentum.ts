/** Gradient descent with momentum. */
import type * as Schedules from "@optim/schedules"
import { add, mul, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, mass as massRange, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `momentum` is made with. */
export interface MomentumOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** μ: the share of the velocity that is kept from step to step, 0 ≤ μ ≤ 1. */
  readonly mass: number
}

/**
 * Momentum: gradients gather in a velocity, and the parameter follows it.
 *
 *     v ← μ·v + g
 *     x ← x − α(t)·v
 *
 * State: `x`, and the velocity `v`, zero at first. Throws `InvalidHyperParameter` unless α ≥ 0 and 0 ≤ μ ≤ 1.
 * Source: Polyak 1964; `jax.example_libraries.optimizers.momentum`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const momentum = Optimizer.momentum({ stepSize: 1, mass: 0.5 })
 *   const first = yield* momentum.update(0, { w: 2 }, yield* momentum.init({ w: 0 }))
 *   const second = yield* momentum.update(1, { w: 2 }, first)
 *   return [first, second].map((state) => momentum.params(state).w.dataSync()[0])
 * })
 * // Under the same gradient the second step is 1 + μ times the first.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-2, -5])
 * ```
 */
export const momentum = leafwise(({ mass, stepSize }: MomentumOptions) => {
  const hyperParameters = check("momentum", { stepSize, mass }, { stepSize: stepSizeRange, mass: massRange })
  const rate = Scalar.schedule(stepSize)
  return {
    name: "momentum",
    hyperParameters,
    init: (x) => ({ x, v: zerosLike(x) }),
    update: (t, g, state) => {
      const v = add(mul(mass, state.v), g)
      return { x: sub(state.x, mul(rate(t), v)), v }
    },
    params: ({ x }) => x
  }
})
