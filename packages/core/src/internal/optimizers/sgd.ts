/** Stochastic gradient descent. */
import type * as Schedules from "@optim/schedules"
import { mul, sub } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"

/** What `sgd` is made with. */
export interface SgdOptions {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
}

/**
 * Stochastic gradient descent: a step against the gradient, proportional to it.
 *
 *     x ← x − α(t)·g
 *
 * State: the bare parameter. Throws `InvalidHyperParameter` unless α ≥ 0.
 * Source: Robbins & Monro 1951; `jax.example_libraries.optimizers.sgd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const sgd = Optimizer.sgd({ stepSize: 0.5 })
 *   const state = yield* sgd.update(0, { w: 2 }, yield* sgd.init({ w: 1 }))
 *   return sgd.params(state).w.dataSync()[0] // 1 − 0.5·2
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 0)
 * ```
 */
export const sgd = leafwise(({ stepSize }: SgdOptions) => {
  const hyperParameters = check("sgd", { stepSize }, { stepSize: stepSizeRange })
  const rate = Scalar.schedule(stepSize)
  return {
    name: "sgd",
    hyperParameters,
    init: (x) => x,
    update: (t, g, x) => sub(x, mul(rate(t), g)),
    params: (x) => x
  }
})
