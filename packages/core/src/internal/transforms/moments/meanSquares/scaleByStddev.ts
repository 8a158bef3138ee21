/** Gradients scaled by their standard deviation. */
import { div, ema, fullLike, square, sub, zerosLike } from "../../../../Expr.ts"
import { checked, plain } from "../../../transform/hyper.ts"
import { counting } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"
import { debiased } from "../../../transform/words.ts"
import type { MomentsState } from "../scaleByAdam.ts"
import { rmsRanges, rootOf, type ScaleByRmsOptions } from "./scaleByRms.ts"

/**
 * Centred RMSProp's direction: the gradient, scaled per element by an estimate of its standard deviation.
 *
 *     μ ← (1−decay)·g + decay·μ
 *     ν ← (1−decay)·g² + decay·ν
 *     u = g / √(ν − μ² + eps),  or without `epsInSqrt`  g / (√(ν − μ²) + eps)
 *
 * With `biasCorrection`, both means are divided by `1 − decay^t`. Where the gradient hardly changes, ν − μ² is the
 * difference of nearly equal numbers and may come out below zero; eps within the root should be well above the rounding of
 * ν, or the update is NaN. State: `count`, `mu`, zero at first, and `nu`, at first `initialScale`. Throws
 * `InvalidHyperParameter` unless 0 ≤ decay < 1 and eps, initialScale ≥ 0.
 * Source: Graves 2013; `optax.scale_by_stddev`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const stddev = Transform.scaleByStddev({ decay: 0.5, eps: 0 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(stddev, { w: 8 }, yield* Transform.init(stddev, { w: 0 }))
 *   return updates.w.dataSync()[0]
 * })
 * // The values 8 and 0 (from before) have mean square 32, mean 4 and so the standard deviation 4.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 2)
 * ```
 */
export const scaleByStddev = ({
  biasCorrection = false,
  decay = 0.9,
  eps = 1e-8,
  epsInSqrt = true,
  initialScale = 0
}: ScaleByRmsOptions = {}): Transform<MomentsState> => {
  const name = "scaleByStddev"
  const h = checked(name, { decay, eps, initialScale }, rmsRanges)
  return counting({
    name,
    hyperParameters: plain({ ...h, epsInSqrt, biasCorrection }),
    init: (p) => ({ mu: zerosLike(p), nu: fullLike(p, h.initialScale) }),
    update: (g, state, t) => {
      const mu = ema(h.decay, state.mu, g)
      const nu = ema(h.decay, state.nu, square(g))
      const muHat = biasCorrection ? debiased(h.decay, mu, t) : mu
      const nuHat = biasCorrection ? debiased(h.decay, nu, t) : nu
      return { update: div(g, rootOf(epsInSqrt, h.eps, sub(nuHat, square(muHat)))), mu, nu }
    }
  })
}
