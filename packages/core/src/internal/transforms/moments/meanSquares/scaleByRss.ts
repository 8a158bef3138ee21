/** Gradients scaled by the root of the sum of their squares. */
import { add, div, type Expr, fullLike, greater, mul, sqrt, square, where } from "../../../../Expr.ts"
import { nonNegative } from "../../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../../transform/hyper.ts"
import { type SlotLists, withSlots } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"

/** What `scaleByRss` is made with. */
export interface ScaleByRssOptions {
  /** What the sum is before the first gradient, ≥ 0. Default 0.1. */
  readonly initialAccumulatorValue?: Hyper | undefined
  /** Added to the sum within the root, ≥ 0. Default 1e-7. */
  readonly eps?: Hyper | undefined
}

/** The sum of squared gradients. */
export type RssState = SlotLists<{ readonly sumOfSquares: Expr }>

/**
 * Adagrad's direction: the gradient, scaled per element by the root of the sum of squares of all gradients so far.
 *
 *     s ← g² + s
 *     u = g / √(s + eps)                           (0 where s is 0)
 *
 * State: `sumOfSquares`, at first `initialAccumulatorValue`. Throws `InvalidHyperParameter` unless both are ≥ 0.
 * Source: Duchi, Hazan & Singer 2011; `optax.scale_by_rss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adagrad = Transform.scaleByRss({ initialAccumulatorValue: 0, eps: 0 })
 * const program = Effect.gen(function*() {
 *   let state = yield* Transform.init(adagrad, { w: 0 })
 *   for (let t = 1; t < 4; t++) state = (yield* Transform.update(adagrad, { w: 7 }, state)).state
 *   return (yield* Transform.update(adagrad, { w: 7 }, state)).updates.w.dataSync()[0]
 * })
 * // Under the same gradient the update number t is 1/√t in size.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 0.5)
 * ```
 */
export const scaleByRss = ({
  eps = 1e-7,
  initialAccumulatorValue = 0.1
}: ScaleByRssOptions = {}): Transform<RssState> => {
  const name = "scaleByRss"
  const ranges = { initialAccumulatorValue: nonNegative, eps: nonNegative }
  const h = checked(name, { initialAccumulatorValue, eps }, ranges)
  return withSlots({
    name,
    hyperParameters: plain(h),
    init: (p) => ({ sumOfSquares: fullLike(p, h.initialAccumulatorValue) }),
    update: (g, state) => {
      const sumOfSquares = add(square(g), state.sumOfSquares)
      // A factor that is 0, not an update: 0·NaN is NaN.
      const inverseRoot = where(greater(sumOfSquares, 0), div(1, sqrt(add(sumOfSquares, h.eps))), 0)
      return { update: mul(inverseRoot, g), sumOfSquares }
    }
  })
}
