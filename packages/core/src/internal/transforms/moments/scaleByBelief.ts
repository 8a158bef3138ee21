/** AdaBelief's direction, before the rate. */
import { add, div, ema, sqrt, square, sub, zerosLike } from "../../../Expr.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased, lookedAhead } from "../../transform/words.ts"
import type { MomentsState } from "./scaleByAdam.ts"

/** What `scaleByBelief` is made with. */
export interface ScaleByBeliefOptions {
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the mean of squared errors, 0 ≤ b2 < 1. Default 0.999. */
  readonly b2?: Hyper | undefined
  /** Added to the root, ≥ 0. Default 1e-16. */
  readonly eps?: Hyper | undefined
  /** Added to the mean of squared errors in each step, and kept there, ≥ 0. Default 1e-16. */
  readonly epsRoot?: Hyper | undefined
  /** Look one step ahead? Default false. */
  readonly nesterov?: boolean | undefined
}

/**
 * AdaBelief's direction: the mean gradient, scaled per element by how far gradients are from what it predicts.
 *
 *     μ ← (1−b1)·g + b1·μ                          μ̂ = μ / (1 − b1^t)
 *     ν ← (1−b2)·(g − μ)² + b2·ν + epsRoot         ν̂ = ν / (1 − b2^t)
 *     u = μ̂ / (√ν̂ + eps)                                          t = 1, 2, …
 *
 * The error is that of the new mean, and epsRoot is stored, so that it accumulates. With `nesterov`,
 * `μ̂ = b1·μ/(1 − b1^(t+1)) + (1−b1)·g/(1 − b1^t)`. State: `count`, `mu`, `nu`, all zero at first. Throws
 * `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1 and eps, epsRoot ≥ 0.
 * Source: Zhuang et al. 2020; `optax.scale_by_belief`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const belief = Transform.scaleByBelief({ b1: 0.5, b2: 0.5, eps: 0, epsRoot: 0 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(belief, [1024, -2], yield* Transform.init(belief, [0, 0]))
 *   return updates.map((u) => u.dataSync()[0])
 * })
 * // The first gradient is off by b1 times itself, so that the first update is 1/b1 in size; Adam's is 1.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2, -2])
 * ```
 */
export const scaleByBelief = ({
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-16,
  epsRoot = 1e-16,
  nesterov = false
}: ScaleByBeliefOptions = {}): Transform<MomentsState> => {
  const name = "scaleByBelief"
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative }
  const h = checked(name, { b1, b2, eps, epsRoot }, ranges)
  const meanOf: typeof lookedAhead = nesterov ? lookedAhead : debiased
  return counting({
    name,
    hyperParameters: plain({ ...h, nesterov }),
    init: (p) => ({ mu: zerosLike(p), nu: zerosLike(p) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const nu = add(ema(h.b2, state.nu, square(sub(g, mu))), h.epsRoot)
      return { update: div(meanOf(h.b1, mu, t, g), add(sqrt(debiased(h.b2, nu, t)), h.eps)), mu, nu }
    }
  })
}
