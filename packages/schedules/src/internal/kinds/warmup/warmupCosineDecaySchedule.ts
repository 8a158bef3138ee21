/** `warmupCosineDecaySchedule`: a warm-up to a peak, then half a wave of the cosine. */
import type { Fault } from "../../Fault.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"
import { annealed } from "../curves/cosineDecaySchedule.ts"
import { warmedUp, warmupFields } from "./warmupConstantSchedule.ts"

/** From `initValue` on a straight line to `peakValue`, then along the cosine to `endValue`. */
export interface WarmupCosineDecaySchedule {
  readonly _tag: "WarmupCosineDecaySchedule"
  readonly initValue: number
  readonly peakValue: number
  readonly warmupSteps: number
  readonly decaySteps: number
  readonly endValue: number
  readonly exponent: number
}

/** What `warmupCosineDecaySchedule` is made from. */
export interface WarmupCosineDecayScheduleOptions {
  /** The value at step 0. */
  readonly initValue: number
  /** The value at step `warmupSteps`. */
  readonly peakValue: number
  /** The number of steps of the warm-up. 0 or more; 0 is no warm-up, `peakValue` at step 0. */
  readonly warmupSteps: number
  /** The number of steps of the whole schedule, *the warm-up included*. More than `warmupSteps`. */
  readonly decaySteps: number
  /** The value from step `decaySteps` on, except that a `peakValue` of 0 ends in 0 too. Default 0. */
  readonly endValue?: number | undefined
  /** The power to which the half wave, which runs from 1 to 0, is raised. 0 or more. Default 1. */
  readonly exponent?: number | undefined
}

/** The data without its tag: one cycle of `sgdrSchedule`. */
export type Cycle = Omit<WarmupCosineDecaySchedule, "_tag">

/** The end value as a fraction of the peak, as the cosine wants it. */
const alphaOf = (endValue: number, peakValue: number): number => (peakValue === 0 ? 0 : endValue / peakValue)

/** What the data is made of, and what may be left out of it. */
export const cycle = {
  fields: {
    ...warmupFields,
    decaySteps: Rule.positive,
    endValue: Rule.finite,
    exponent: Rule.nonNegative
  },
  defaults: { endValue: 0, exponent: 1 },
  relations: ({ decaySteps, endValue, peakValue, warmupSteps }: Cycle): ReadonlyArray<Fault> => {
    if (decaySteps <= warmupSteps) {
      return [{ path: ["decaySteps"], value: decaySteps, expected: `more than warmupSteps, ${warmupSteps}` }]
    }
    if (Number.isFinite(alphaOf(endValue, peakValue))) return []
    return [{ path: ["endValue"], value: endValue, expected: `a finite multiple of peakValue, ${peakValue}` }]
  }
}

/** The value at a step. */
export const cycleAt = (self: Cycle, step: number): number => {
  const { decaySteps, endValue, exponent, peakValue, warmupSteps } = self
  const alpha = alphaOf(endValue, peakValue)
  const decay = { initValue: peakValue, decaySteps: decaySteps - warmupSteps, alpha, exponent }
  return warmedUp(self, step, (step) => annealed(decay, step))
}

export const kind = define<WarmupCosineDecaySchedule>({ tag: "WarmupCosineDecaySchedule", ...cycle, at: cycleAt })

/**
 * A warm-up on a straight line to the peak, then cosine decay: the schedule of most large models.
 *
 *     at(t) = (initValue − peakValue) · (1 − t / warmupSteps) + peakValue                  while t < warmupSteps
 *     s = min(t − warmupSteps, decaySteps − warmupSteps) / (decaySteps − warmupSteps)      from there on
 *     at(t) = peakValue · ((1 − α) · (½ · (1 + cos(π · s)))^exponent + α)                  α = endValue / peakValue
 *
 * `decaySteps` includes the warm-up. With a `peakValue` of 0 there is no such α; it is taken for 0, so that the value
 * is 0 from step `warmupSteps` on. Throws `InvalidSchedule` unless all values are finite, 0 <= `warmupSteps` <
 * `decaySteps` and `exponent` >= 0.
 * Source: Loshchilov & Hutter 2017, SGDR; `warmup_cosine_decay_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.warmupCosineDecaySchedule({
 *   initValue: 0,
 *   peakValue: 1,
 *   warmupSteps: 4,
 *   decaySteps: 12,
 *   endValue: 0.5
 * })
 * assert.deepStrictEqual([0, 2, 4, 8, 12, 99].map((step) => Schedules.at(schedule, step)), [0, 0.5, 1, 0.75, 0.5, 0.5])
 * ```
 */
export const warmupCosineDecaySchedule = (options: WarmupCosineDecayScheduleOptions): WarmupCosineDecaySchedule =>
  construct(kind, options)
