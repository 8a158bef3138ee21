/** `cosineOnecycleSchedule`: up to a peak and down to almost nothing, on two half waves of the cosine. */
import { construct, define } from "../../Kind.ts"
import { interpolated } from "./knots.ts"
import * as Rule from "../../Rule.ts"

/** Up to `peakValue` and down to a small last value, on half waves of the cosine. */
export interface CosineOnecycleSchedule {
  readonly _tag: "CosineOnecycleSchedule"
  readonly transitionSteps: number
  readonly peakValue: number
  readonly pctStart: number
  readonly divFactor: number
  readonly finalDivFactor: number
}

/** What `cosineOnecycleSchedule` is made from. */
export interface CosineOnecycleScheduleOptions {
  /** The number of steps of the whole cycle. */
  readonly transitionSteps: number
  /** The largest value. */
  readonly peakValue: number
  /** The fraction of the steps at which the peak is reached, rounded down to a step. From 0 to below 1. Default 0.3. */
  readonly pctStart?: number | undefined
  /** The peak over the first value. Above 0. Default 25. */
  readonly divFactor?: number | undefined
  /** The first value over the last. Above 0. Default 1e4. */
  readonly finalDivFactor?: number | undefined
}

export const kind = define<CosineOnecycleSchedule>({
  tag: "CosineOnecycleSchedule",
  fields: {
    transitionSteps: Rule.stepCount,
    peakValue: Rule.finite,
    pctStart: Rule.fraction,
    divFactor: Rule.positive,
    finalDivFactor: Rule.positive
  },
  defaults: { pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4 },
  at: ({ divFactor, finalDivFactor, pctStart, peakValue, transitionSteps }, step) => {
    const knots = [
      [Math.floor(pctStart * transitionSteps), divFactor],
      [transitionSteps, 1 / (divFactor * finalDivFactor)]
    ] as const
    return interpolated("cosine", peakValue / divFactor, knots, step)
  }
})

/**
 * One cycle on half waves of the cosine: up to the peak, and down to a small last value.
 *
 *     at(0) = peakValue / divFactor
 *     at(⌊pctStart · transitionSteps⌋) = peakValue
 *     at(t) = peakValue / (divFactor · finalDivFactor)           for t >= transitionSteps
 *
 * Throws `InvalidSchedule` unless `transitionSteps` is a positive integer, `peakValue` is finite, both factors are > 0,
 * and `pctStart` is >= 0 and < 1.
 * Source: Smith & Topin 2017, Super-Convergence; `cosine_onecycle_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.cosineOnecycleSchedule({
 *   transitionSteps: 10,
 *   peakValue: 8,
 *   pctStart: 0.4,
 *   divFactor: 4,
 *   finalDivFactor: 2
 * })
 * const values = [0, 2, 4, 7, 10, 99].map((step) => Schedules.at(schedule, step).toFixed(6))
 * assert.deepStrictEqual(values.map(Number), [2, 5, 8, 4.5, 1, 1])
 * ```
 */
export const cosineOnecycleSchedule = (options: CosineOnecycleScheduleOptions): CosineOnecycleSchedule =>
  construct(kind, options)
