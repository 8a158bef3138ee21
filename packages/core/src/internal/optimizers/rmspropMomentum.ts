/** RMSProp with momentum. */
import { add, div, ema, mul, sqrt, square, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, mass, nonNegative, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"
import type { RmspropOptions } from "./rmsprop.ts"

/** What `rmspropMomentum` is made with. */
export interface RmspropMomentumOptions extends RmspropOptions {
  /** μ: the share of the last step that is repeated, 0 ≤ μ ≤ 1. Default 0.9. */
  readonly momentum?: number | undefined
}

/**
 * RMSProp with momentum: the normalised steps, learning rate included, gather in a velocity.
 *
 *     a ← γ·a + (1−γ)·g²
 *     v ← μ·v + α(t)·g / √(a + eps)
 *     x ← x − v
 *
 * State: `x`, the mean square `a` and the velocity `v`, both zero at first.
 * Throws `InvalidHyperParameter` unless α ≥ 0, 0 ≤ γ < 1, eps ≥ 0 and 0 ≤ μ ≤ 1.
 * Source: Tieleman & Hinton 2012, lecture 6.5; `jax.example_libraries.optimizers.rmsprop_momentum`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const optimizer = Optimizer.rmspropMomentum({ stepSize: (step) => (step === 0 ? 1 : 0), gamma: 0.75, momentum: 0.5 })
 *   const first = yield* optimizer.update(0, [8], yield* optimizer.init([0]))
 *   const second = yield* optimizer.update(1, [8], first)
 *   return [first, second].map((state) => optimizer.params(state)[0]?.dataSync()[0])
 * })
 * // The rate is part of the velocity: half of the first step is repeated though the second rate is 0.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-2, -3])
 * ```
 */
export const rmspropMomentum = leafwise(
  ({ eps = 1e-8, gamma = 0.9, momentum = 0.9, stepSize }: RmspropMomentumOptions) => {
    const ranges = { stepSize: stepSizeRange, gamma: decay, eps: nonNegative, momentum: mass }
    const hyperParameters = check("rmspropMomentum", { stepSize, gamma, eps, momentum }, ranges)
    const rate = Scalar.schedule(stepSize)
    return {
      name: "rmspropMomentum",
      hyperParameters,
      init: (x) => ({ x, a: zerosLike(x), v: zerosLike(x) }),
      update: (t, g, state) => {
        const a = ema(gamma, state.a, square(g))
        const v = add(mul(momentum, state.v), div(mul(rate(t), g), sqrt(add(a, eps))))
        return { x: sub(state.x, v), a, v }
      },
      params: ({ x }) => x
    }
  }
)
