/** Updates clipped element by element. */
import { maximum, minimum, neg } from "../../../Expr.ts"
import { bound } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { stateless, type Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `clip` is made with. */
export interface ClipOptions {
  /** The largest size of an element, ≥ 0. */
  readonly maxDelta: Hyper
}

/**
 * Updates whose elements lie between −maxDelta and maxDelta: `u ← min(max(u, −maxDelta), maxDelta)`.
 *
 * Has no state. NaN stays NaN. Throws `InvalidHyperParameter` unless maxDelta ≥ 0. Source: `optax.clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clip = Transform.clip({ maxDelta: 1 })
 * const program = Effect.map(Transform.update(clip, Float32Array.of(-3, 0.5, 3), null), ({ updates }) => updates.dataSync())
 * // Each element for itself: the direction changes.
 * assert.deepStrictEqual([...(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))))], [-1, 0.5, 1])
 * ```
 */
export const clip = (options: ClipOptions): Transform<Stateless> => {
  const { maxDelta } = checked("clip", { maxDelta: options.maxDelta }, { maxDelta: bound })
  return stateless({ name: "clip", hyperParameters: plain({ maxDelta }) }, (u) =>
    minimum(maximum(u, neg(maxDelta)), maxDelta)
  )
}
