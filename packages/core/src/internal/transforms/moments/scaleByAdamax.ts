/** Adam's direction in the infinity norm. */
import { abs, add, div, ema, maximum, mul, zerosLike } from "../../../Expr.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased } from "../../transform/words.ts"
import type { MomentsState } from "./scaleByAdam.ts"

/** What `scaleByAdamax` is made with. */
export interface ScaleByAdamaxOptions {
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the largest gradient, 0 ≤ b2 < 1. Default 0.999. */
  readonly b2?: Hyper | undefined
  /** Added to each gradient's size before it is compared, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
}

/**
 * Adamax's direction: the mean gradient, scaled per element by the largest gradient, which decays.
 *
 *     μ ← (1−b1)·g + b1·μ            μ̂ = μ / (1 − b1^t)
 *     ν ← max(|g| + eps, b2·ν)
 *     u = μ̂ / ν                                                    t = 1, 2, …
 *
 * State: `count`, `mu`, `nu`, all zero at first. `Optimizer.adamax` adds eps to the denominator instead and keeps it out of
 * ν, so both differ in the order of eps. Throws `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1 and eps ≥ 0.
 * Source: Kingma & Ba 2015, Algorithm 2; `optax.scale_by_adamax`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adamax = Transform.scaleByAdamax({ b1: 0, b2: 0.5, eps: 0 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(adamax, { w: 8 }, yield* Transform.init(adamax, { w: 0 }))
 *   const second = yield* Transform.update(adamax, { w: 1 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * // The second gradient is divided by half of the first, which is still the larger one.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 0.25])
 * ```
 */
export const scaleByAdamax = ({
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-8
}: ScaleByAdamaxOptions = {}): Transform<MomentsState> => {
  const name = "scaleByAdamax"
  const h = checked(name, { b1, b2, eps }, { b1: decay, b2: decay, eps: nonNegative })
  return counting({
    name,
    hyperParameters: plain(h),
    init: (p) => ({ mu: zerosLike(p), nu: zerosLike(p) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const nu = maximum(add(abs(g), h.eps), mul(h.b2, state.nu))
      return { update: div(debiased(h.b1, mu, t), nu), mu, nu }
    }
  })
}
