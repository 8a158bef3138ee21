/** Gradient descent with Nesterov's momentum. */
import type * as Schedules from "@optim/schedules"
import { add, mul, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, mass as massRange, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `nesterov` is made with. */
export interface NesterovOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** μ: the share of the velocity that is kept from step to step, 0 ≤ μ ≤ 1. */
  readonly mass: number
}

/**
 * Nesterov's accelerated gradient: momentum that looks one step ahead.
 *
 *     v ← μ·v + g
 *     x ← x − α(t)·(μ·v + g)
 *
 * State: `x`, and the velocity `v`, zero at first. Throws `InvalidHyperParameter` unless α ≥ 0 and 0 ≤ μ ≤ 1.
 * Source: Nesterov 1983, in the form of Sutskever et al. 2013; `jax.example_libraries.optimizers.nesterov`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const nesterov = Optimizer.nesterov({ stepSize: 1, mass: 0.5 })
 *   const state = yield* nesterov.update(0, { w: 2 }, yield* nesterov.init({ w: 0 }))
 *   return nesterov.params(state).w.dataSync()[0]
 * })
 * // Already the first step is 1 + μ times the gradient.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), -3)
 * ```
 */
export const nesterov = leafwise(({ mass, stepSize }: NesterovOptions) => {
  const hyperParameters = check("nesterov", { stepSize, mass }, { stepSize: stepSizeRange, mass: massRange })
  const rate = Scalar.schedule(stepSize)
  return {
    name: "nesterov",
    hyperParameters,
    init: (x) => ({ x, v: zerosLike(x) }),
    update: (t, g, state) => {
      const v = add(mul(mass, state.v), g)
      return { x: sub(state.x, mul(rate(t), add(mul(mass, v), g))), v }
    },
    params: ({ x }) => x
  }
})
