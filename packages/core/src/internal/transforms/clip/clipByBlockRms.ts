/** Updates clipped by the root mean square of each leaf. */
import { div, maximum } from "../../../Expr.ts"
import { positive } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { rms } from "../../transform/norms.ts"
import { stateless, type Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `clipByBlockRms` is made with. */
export interface ClipByBlockRmsOptions {
  /** The largest root mean square of a leaf, > 0. */
  readonly threshold: Hyper
}

/**
 * Updates whose root mean square, leaf by leaf, is at most `threshold`.
 *
 *     u ← u / max(1, rms(u) / threshold)        rms(u) = √(Σu²/n)
 *
 * Has no state. Throws `InvalidHyperParameter` unless threshold > 0.
 * Source: Shazeer & Stern 2018, section 6; `optax.clip_by_block_rms`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clip = Transform.clipByBlockRms({ threshold: 1 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(clip, { large: Float32Array.of(4, -4), small: Float32Array.of(0, 1) }, null)
 *   return [...updates.large.dataSync(), ...updates.small.dataSync()]
 * })
 * // Each leaf for itself, by its mean and not by its sum.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, -1, 0, 1])
 * ```
 */
export const clipByBlockRms = (options: ClipByBlockRmsOptions): Transform<Stateless> => {
  const { threshold } = checked("clipByBlockRms", { threshold: options.threshold }, { threshold: positive })
  return stateless({ name: "clipByBlockRms", hyperParameters: plain({ threshold }) }, (u) =>
    div(u, maximum(1, div(rms(u), threshold)))
  )
}
