/** Updates clipped by the size of their parameters. */
import { maximum, mul } from "../../../Expr.ts"
import { bound, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type Stateless, statelessWithParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { unitwiseClip, unitwiseNorm, type UnitwiseNormOptions } from "./unitwise.ts"

/** What `adaptiveGradClip` is made with. */
export interface AdaptiveGradClipOptions extends UnitwiseNormOptions {
  /** The largest ratio of an update's norm to its parameter's, ≥ 0. */
  readonly clipping: Hyper
  /** What the norm of a parameter counts at least, so that what starts at zero can grow; ≥ 0. Default 1e-3. */
  readonly eps?: Hyper | undefined
}

/**
 * Updates whose norm is at most a share of the norm of their parameters, unit by unit (`unitwiseNorm`).
 *
 *     m = clipping·max(‖p‖, eps)        u ← u if ‖u‖ < m, else u·(m / max(‖u‖, 1e-6))
 *
 * Has no state. Needs the parameters. Throws `InvalidHyperParameter` unless clipping, eps ≥ 0; an update fails with
 * `InvalidExpression` for a leaf of rank 6 or more unless `axis` says what its units are.
 * Source: Brock et al. 2021, section 4; `optax.adaptive_grad_clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clip = Transform.adaptiveGradClip({ clipping: 0.5 })
 * const program = Effect.gen(function*() {
 *   const given = { params: { large: 100, small: 1 } }
 *   const { updates } = yield* Transform.update(clip, { large: 8, small: 8 }, null, given)
 *   return [updates.large.dataSync()[0], updates.small.dataSync()[0]]
 * })
 * // The same gradient is small for a large parameter and large for a small one.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [8, 0.5])
 * ```
 */
export const adaptiveGradClip = ({
  axis,
  eps = 1e-3,
  ...options
}: AdaptiveGradClipOptions): Transform<Stateless, "params"> => {
  const name = "adaptiveGradClip"
  const h = checked(name, { clipping: options.clipping, eps }, { clipping: bound, eps: nonNegative })
  return statelessWithParams({ name, hyperParameters: plain(h) }, (u, p) => {
    const maxNorm = mul(h.clipping, maximum(unitwiseNorm(p, { axis }), h.eps))
    return unitwiseClip(unitwiseNorm(u, { axis }), maxNorm, u)
  })
}
