/** Adadelta's direction. */
import { add, div, ema, type Expr, mul, sqrt, square, zerosLike } from "../../../../Expr.ts"
import { decay, nonNegative } from "../../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../../transform/hyper.ts"
import { type SlotLists, withSlots } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"

/** What `scaleByAdadelta` is made with. */
export interface ScaleByAdadeltaOptions {
  /** ρ: the decay of both mean squares, 0 ≤ ρ < 1. Default 0.9. */
  readonly rho?: Hyper | undefined
  /** Added to both mean squares within their roots, ≥ 0. Default 1e-6. */
  readonly eps?: Hyper | undefined
}

/** Mean squares of gradients and of updates. */
export type AdadeltaState = SlotLists<{ readonly eG: Expr; readonly eX: Expr }>

/**
 * Adadelta's direction: the gradient, scaled per element to the size of the updates before.
 *
 *     E[g²] ← (1−ρ)·g² + ρ·E[g²]
 *     u = √(E[u²] + eps) / √(E[g²] + eps) · g
 *     E[u²] ← (1−ρ)·u² + ρ·E[u²]
 *
 * State: `eG` and `eX`, the mean squares of gradients and of updates, zero at first. Throws `InvalidHyperParameter` unless
 * 0 ≤ ρ < 1 and eps ≥ 0. Source: Zeiler 2012, Algorithm 1; `optax.scale_by_adadelta`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adadelta = Transform.scaleByAdadelta({ rho: 0.75, eps: 1e-6 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(adadelta, [1e3, -1e6], yield* Transform.init(adadelta, [0, 0]))
 *   return updates.map((u) => u.dataSync()[0]?.toFixed(6))
 * })
 * // The first update is √(eps/(1−ρ)) in size, whatever the gradient's.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["0.002000", "-0.002000"])
 * ```
 */
export const scaleByAdadelta = ({ eps = 1e-6, rho = 0.9 }: ScaleByAdadeltaOptions = {}): Transform<AdadeltaState> => {
  const name = "scaleByAdadelta"
  const h = checked(name, { rho, eps }, { rho: decay, eps: nonNegative })
  return withSlots({
    name,
    hyperParameters: plain(h),
    init: (p) => ({ eG: zerosLike(p), eX: zerosLike(p) }),
    update: (g, state) => {
      const eG = ema(h.rho, state.eG, square(g))
      const update = mul(div(sqrt(add(state.eX, h.eps)), sqrt(add(eG, h.eps))), g)
      return { update, eG, eX: ema(h.rho, state.eX, square(update)) }
    }
  })
}
