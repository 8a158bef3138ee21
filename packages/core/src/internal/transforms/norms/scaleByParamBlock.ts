/** Updates scaled by the size of their parameters. */
import { type Expr, maximum, mul } from "../../../Expr.ts"
import { nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { norm, rms } from "../../transform/norms.ts"
import { type Stateless, statelessWithParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByParamBlockNorm` and `scaleByParamBlockRms` are made with. */
export interface ScaleByParamBlockOptions {
  /** What the size of a leaf counts at least, ≥ 0. Default 1e-3. */
  readonly minScale?: Hyper | undefined
}

const scaledBy = (
  name: string,
  size: (p: Expr) => Expr,
  { minScale: least = 1e-3 }: ScaleByParamBlockOptions
): Transform<Stateless, "params"> => {
  const { minScale } = checked(name, { minScale: least }, { minScale: nonNegative })
  return statelessWithParams({ name, hyperParameters: plain({ minScale }) }, (u, p) =>
    mul(u, maximum(size(p), minScale))
  )
}

/**
 * Updates in proportion to the norm of their parameters, leaf by leaf: `u ← u·max(‖p‖, minScale)`.
 *
 * Has no state. Needs the parameters. Throws `InvalidHyperParameter` unless minScale ≥ 0.
 * Source: `optax.scale_by_param_block_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const given = { params: Float32Array.of(3, 4) }
 *   const { updates } = yield* Transform.update(Transform.scaleByParamBlockNorm(), Float32Array.of(1, 2), null, given)
 *   return updates.dataSync()
 * })
 * assert.deepStrictEqual([...(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))))], [5, 10])
 * ```
 */
export const scaleByParamBlockNorm = (options: ScaleByParamBlockOptions = {}): Transform<Stateless, "params"> =>
  scaledBy("scaleByParamBlockNorm", norm, options)

/**
 * Updates in proportion to the root mean square of their parameters, leaf by leaf: `u ← u·max(√(Σp²/n), minScale)`.
 *
 * Has no state. Needs the parameters. Throws `InvalidHyperParameter` unless minScale ≥ 0.
 * Source: Shazeer & Stern 2018, section 8; `optax.scale_by_param_block_rms`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const given = { params: Float32Array.of(4, -4) }
 *   const { updates } = yield* Transform.update(Transform.scaleByParamBlockRms(), Float32Array.of(1, 2), null, given)
 *   return updates.dataSync()
 * })
 * // The size of a leaf does not depend on how many elements it has.
 * assert.deepStrictEqual([...(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))))], [4, 8])
 * ```
 */
export const scaleByParamBlockRms = (options: ScaleByParamBlockOptions = {}): Transform<Stateless, "params"> =>
  scaledBy("scaleByParamBlockRms", rms, options)
