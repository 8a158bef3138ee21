/** Updates as large as their parameters. */
import { add, div, equal, mul, or, safeNorm, where } from "../../../Expr.ts"
import { finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type Stateless, statelessWithParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByTrustRatio` is made with. */
export interface ScaleByTrustRatioOptions {
  /** What both norms count at least, ≥ 0. Default 0. */
  readonly minNorm?: Hyper | undefined
  /** The norm of an update in units of its parameter's. Default 1. */
  readonly trustCoefficient?: Hyper | undefined
  /** Added to the norm of the update, ≥ 0. Default 0. */
  readonly eps?: Hyper | undefined
}

/**
 * Updates scaled, leaf by leaf, so that their norm is a share of the norm of their parameters.
 *
 *     r = trustCoefficient·‖p‖ / (‖u‖ + eps)        u ← r·u, or u itself where either norm is 0
 *
 * Both norms count at least `minNorm`. Has no state. Needs the parameters. Throws `InvalidHyperParameter` unless minNorm,
 * eps ≥ 0 and trustCoefficient is finite. Source: You, Gitman & Ginsburg 2017; `optax.scale_by_trust_ratio`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const given = { params: Float32Array.of(6, 8) }
 *   const { updates } = yield* Transform.update(Transform.scaleByTrustRatio(), Float32Array.of(0, 0.5), null, given)
 *   return updates.dataSync()
 * })
 * // However large the gradient, the update is as long as the parameter.
 * assert.deepStrictEqual([...(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))))], [0, 10])
 * ```
 */
export const scaleByTrustRatio = ({
  eps = 0,
  minNorm = 0,
  trustCoefficient = 1
}: ScaleByTrustRatioOptions = {}): Transform<Stateless, "params"> => {
  const name = "scaleByTrustRatio"
  const ranges = { minNorm: nonNegative, trustCoefficient: finite, eps: nonNegative }
  const h = checked(name, { minNorm, trustCoefficient, eps }, ranges)
  return statelessWithParams({ name, hyperParameters: plain(h) }, (u, p) => {
    const [pNorm, uNorm] = [safeNorm(p, h.minNorm), safeNorm(u, h.minNorm)]
    const ratio = div(mul(h.trustCoefficient, pNorm), add(uNorm, h.eps))
    return mul(u, where(or(equal(pNorm, 0), equal(uNorm, 0)), 1, ratio))
  })
}
