/** The mean of a measurement. */
import { PyTree } from "@optim/pytree"
import { cast, div, ema, type Expr, pow, sub, zerosLike } from "../../../Expr.ts"
import type { Scalar } from "../../../Scalar.ts"
import { decay as decayRange } from "../../optimizer/hyperParameters.ts"
import { type NeedsOfFn, takesParams } from "../../transform/given.ts"
import { checked, type Hyper } from "../../transform/hyper.ts"
import { type Counted, increment, zero } from "../../transform/rules.ts"
import { type Measure, measuredBy, type MeasureFn, unmeasured } from "./measure.ts"

/** What `measureWithEma` is made with. */
export interface MeasureWithEmaOptions {
  /** The share of the mean that is kept, 0 ≤ decay < 1. */
  readonly decay: Hyper
  /** Take the bias towards zero out of what is measured? Default true. */
  readonly debias?: boolean | undefined
}

/** The mean of a measurement, and of how many. */
export interface MeasureWithEmaState<M> extends Counted {
  readonly ema: M
}

/** A tree of tensors, tensor by tensor; it has the same type. */
const each = <M>(tree: M, f: (x: Expr) => Expr): M => PyTree.map(tree as unknown, (x: unknown) => f(x as Expr)) as M

const both = <M>(a: M, b: M, f: (a: Expr, b: Expr) => Expr): M =>
  PyTree.map(a as unknown, b as unknown, (x: unknown, y: unknown) => f(x as Expr, y as Expr)) as M

const float = (x: Expr): Expr => cast(x, "float32")

/**
 * A measure for `monitor`: the exponential moving average of another one, `m ← decay·m + (1−decay)·x`.
 *
 * What is measured is m / (1 − decay^t), or m itself without `debias`. A condition counts as 1 or 0, so its mean is how often
 * it held. State: `count`, and `ema`, which is kept with its bias, zero at first. Throws `InvalidHyperParameter` unless
 * 0 ≤ decay < 1. Source: `optax.measure_with_ema`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Expr, Leaves, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const isLong = Transform.measureWithEma((updates) => Expr.greater(Leaves.globalNorm(updates), 1), { decay: 0.5 })
 * const monitor = Transform.monitor({ isLong })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(monitor, { w: 2 }, yield* Transform.init(monitor, { w: 0 }))
 *   const second = yield* Transform.update(monitor, { w: 0 }, first.state)
 *   return [first, second].map(({ state }) => state.measurements.isLong.dataSync()[0]?.toFixed(3))
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["1.000", "0.333"])
 * ```
 */
export const measureWithEma = <F extends MeasureFn>(
  measure: F,
  { debias = true, ...options }: MeasureWithEmaOptions
): Measure<MeasureWithEmaState<ReturnType<F>>, ReturnType<F>, NeedsOfFn<F>> => {
  const { decay } = checked("measureWithEma", { decay: options.decay }, { decay: decayRange })
  const shown = (mean: ReturnType<F>, t: Scalar): ReturnType<F> =>
    debias ? each(mean, (x) => div(x, sub(1, pow(decay, t)))) : mean
  return {
    takesParams: takesParams(measure),
    init: (params) => {
      const nothing = each(measuredBy(measure, params, { params }), (x) => zerosLike(float(x)))
      return { measurement: unmeasured(nothing), state: { count: zero, ema: nothing } }
    },
    update: (updates, state, context) => {
      const count = increment(state.count)
      const mean = both(state.ema, measuredBy(measure, updates, context), (m, x) => ema(decay, m, float(x)))
      return { measurement: shown(mean, count), state: { count, ema: mean } }
    }
  }
}
