/** `warmupExponentialDecaySchedule`: a warm-up to a peak, then exponential decay. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"
import { decayDefaults, decayed, decayFields } from "../curves/exponentialDecay.ts"
import { warmedUp, warmupFields } from "./warmupConstantSchedule.ts"

/** From `initValue` on a straight line to `peakValue`, then multiplied by `decayRate` every `transitionSteps` steps. */
export interface WarmupExponentialDecaySchedule {
  readonly _tag: "WarmupExponentialDecaySchedule"
  readonly initValue: number
  readonly peakValue: number
  readonly warmupSteps: number
  readonly transitionSteps: number
  readonly decayRate: number
  readonly transitionBegin: number
  readonly staircase: boolean
  readonly endValue: number | null
}

/** What `warmupExponentialDecaySchedule` is made from. */
export interface WarmupExponentialDecayScheduleOptions {
  /** The value at step 0. */
  readonly initValue: number
  /** The value at step `warmupSteps`. */
  readonly peakValue: number
  /** The number of steps of the warm-up. 0 or more; 0 is no warm-up, `peakValue` at step 0. */
  readonly warmupSteps: number
  /** After this many steps of the decay the value has been multiplied by `decayRate` once. Above 0. */
  readonly transitionSteps: number
  /** The factor per `transitionSteps` steps. 0 or more; above 1 the value grows. */
  readonly decayRate: number
  /** How many steps the value stays at the peak before the decay. 0 or more. Default 0. */
  readonly transitionBegin?: number | undefined
  /** Whether only whole `transitionSteps` count, so that the value changes in stairs. Default `false`. */
  readonly staircase?: boolean | undefined
  /** Where the decay stops: from below if `decayRate` < 1, else from above. Default `null`, nowhere. */
  readonly endValue?: number | null | undefined
}

export const kind = define<WarmupExponentialDecaySchedule>({
  tag: "WarmupExponentialDecaySchedule",
  fields: { ...warmupFields, transitionSteps: Rule.positive, ...decayFields },
  defaults: decayDefaults,
  at: (self, step) => {
    const decay = { ...self, stepSize: self.peakValue, decaySteps: self.transitionSteps }
    return warmedUp(self, step, (step) => decayed(decay, step))
  }
})

/**
 * A warm-up on a straight line to the peak, then exponential decay.
 *
 *     at(t) = (initValue − peakValue) · (1 − t / warmupSteps) + peakValue          while t < warmupSteps
 *     s = max(t − warmupSteps − transitionBegin, 0) / transitionSteps              with staircase: ⌊s⌋
 *     at(t) = peakValue · decayRate^s                                              stopped at endValue
 *
 * `endValue` binds the decay, not the warm-up: from below if `decayRate` < 1, else from above. Throws `InvalidSchedule`
 * unless all values are finite, `transitionSteps` > 0, and `warmupSteps`, `transitionBegin` and `decayRate` are >= 0.
 * Source: `warmup_exponential_decay_schedule` of Optax; `exponentialDecay` says how the two differ outside these
 * ranges.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.warmupExponentialDecaySchedule({
 *   initValue: 0,
 *   peakValue: 1,
 *   warmupSteps: 2,
 *   transitionSteps: 4,
 *   decayRate: 0.25,
 *   endValue: 0.1
 * })
 * assert.deepStrictEqual([0, 1, 2, 4, 6, 99].map((step) => Schedules.at(schedule, step)), [0, 0.5, 1, 0.5, 0.25, 0.1])
 * ```
 */
export const warmupExponentialDecaySchedule = (
  options: WarmupExponentialDecayScheduleOptions
): WarmupExponentialDecaySchedule => construct(kind, options)
