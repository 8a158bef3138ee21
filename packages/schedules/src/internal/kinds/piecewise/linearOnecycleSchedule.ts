/** `linearOnecycleSchedule`: up to a peak, down again, and out, on three straight lines. */
import type { Fault } from "../../Fault.ts"
import { construct, define } from "../../Kind.ts"
import { interpolated } from "./knots.ts"
import * as Rule from "../../Rule.ts"

/** Up to `peakValue`, back to where it began, and on to a small last value, on straight lines. */
export interface LinearOnecycleSchedule {
  readonly _tag: "LinearOnecycleSchedule"
  readonly transitionSteps: number
  readonly peakValue: number
  readonly pctStart: number
  readonly pctFinal: number
  readonly divFactor: number
  readonly finalDivFactor: number
}

/** What `linearOnecycleSchedule` is made from. */
export interface LinearOnecycleScheduleOptions {
  /** The number of steps of the whole cycle. */
  readonly transitionSteps: number
  /** The largest value. */
  readonly peakValue: number
  /** The fraction of the steps at which the peak is reached, rounded down to a step. From 0 to below 1. Default 0.3. */
  readonly pctStart?: number | undefined
  /** The fraction of the steps at which the first value is reached again. Above `pctStart`, below 1. Default 0.85. */
  readonly pctFinal?: number | undefined
  /** The peak over the first value. Above 0. Default 25. */
  readonly divFactor?: number | undefined
  /** The first value over the last. Above 0. Default 1e4. */
  readonly finalDivFactor?: number | undefined
}

/** The steps at which the peak and then the first value again are reached. */
const turns = ({ pctFinal, pctStart, transitionSteps }: Omit<LinearOnecycleSchedule, "_tag">) => ({
  peak: Math.floor(pctStart * transitionSteps),
  foot: Math.floor(pctFinal * transitionSteps)
})

const relations = (self: Omit<LinearOnecycleSchedule, "_tag">): ReadonlyArray<Fault> => {
  const { foot, peak } = turns(self)
  if (peak < foot) return []
  const expected = `large enough for ⌊pctFinal · ${self.transitionSteps}⌋ to lie after the step of the peak, ${peak}`
  return [{ path: ["pctFinal"], value: self.pctFinal, expected }]
}

export const kind = define<LinearOnecycleSchedule>({
  tag: "LinearOnecycleSchedule",
  fields: {
    transitionSteps: Rule.stepCount,
    peakValue: Rule.finite,
    pctStart: Rule.fraction,
    pctFinal: Rule.fraction,
    divFactor: Rule.positive,
    finalDivFactor: Rule.positive
  },
  defaults: { pctStart: 0.3, pctFinal: 0.85, divFactor: 25, finalDivFactor: 1e4 },
  relations,
  at: (self, step) => {
    const { divFactor, finalDivFactor, peakValue, transitionSteps } = self
    const { foot, peak } = turns(self)
    const knots = [
      [peak, divFactor],
      [foot, 1 / divFactor],
      [transitionSteps, 1 / finalDivFactor]
    ] as const
    return interpolated("linear", peakValue / divFactor, knots, step)
  }
})

/**
 * One cycle on straight lines: up to the peak, back to the first value, and on to a small last one.
 *
 *     at(0) = peakValue / divFactor
 *     at(⌊pctStart · transitionSteps⌋) = peakValue
 *     at(⌊pctFinal · transitionSteps⌋) = peakValue / divFactor
 *     at(t) = peakValue / divFactor / finalDivFactor             for t >= transitionSteps
 *
 * Throws `InvalidSchedule` unless `transitionSteps` is a positive integer, `peakValue` is finite, both factors are > 0,
 * and both fractions are >= 0 and < 1 with a step of its own for each turn. (Optax drops a leg whose turns share a
 * step.)
 * Source: Smith & Topin 2017, Super-Convergence; `linear_onecycle_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.linearOnecycleSchedule({
 *   transitionSteps: 10,
 *   peakValue: 8,
 *   pctStart: 0.4,
 *   pctFinal: 0.8,
 *   divFactor: 4,
 *   finalDivFactor: 2
 * })
 * assert.deepStrictEqual([0, 2, 4, 6, 8, 9, 10].map((step) => Schedules.at(schedule, step)), [2, 5, 8, 5, 2, 1.5, 1])
 * ```
 */
export const linearOnecycleSchedule = (options: LinearOnecycleScheduleOptions): LinearOnecycleSchedule =>
  construct(kind, options)
