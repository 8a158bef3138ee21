/** `inverseTimeDecay`: the step size falls like one over time. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** The step size falls like one over time, smoothly or in stairs of `decaySteps` steps. */
export interface InverseTimeDecay {
  readonly _tag: "InverseTimeDecay"
  readonly stepSize: number
  readonly decaySteps: number
  readonly decayRate: number
  readonly staircase: boolean
}

/** What `inverseTimeDecay` is made from. */
export interface InverseTimeDecayOptions {
  /** The value at step 0. */
  readonly stepSize: number
  /** The unit of time, in steps. Above 0. */
  readonly decaySteps: number
  /** How much the divisor grows per unit of time. 0 or more. */
  readonly decayRate: number
  /** Whether only whole units of time count, so that the value falls in stairs. Default `false`. */
  readonly staircase?: boolean | undefined
}

export const kind = define<InverseTimeDecay>({
  tag: "InverseTimeDecay",
  fields: {
    stepSize: Rule.finite,
    decaySteps: Rule.positive,
    decayRate: Rule.nonNegative,
    staircase: Rule.flag
  },
  defaults: { staircase: false },
  at: ({ decayRate, decaySteps, staircase, stepSize }, step) =>
    staircase
      ? stepSize / (1 + decayRate * Math.floor(step / decaySteps))
      : stepSize / (1 + (decayRate * step) / decaySteps)
})

/**
 * Inverse time decay: the step size falls like one over time.
 *
 *     at(t) = stepSize / (1 + decayRate · t / decaySteps)
 *     at(t) = stepSize / (1 + decayRate · ⌊t / decaySteps⌋)      with staircase
 *
 * Throws `InvalidSchedule` unless `stepSize` is finite, `decaySteps` > 0 and `decayRate` >= 0 (a negative rate
 * divides by zero at some step).
 * Source: `inverse_time_decay` of `jax.example_libraries.optimizers`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const options = { stepSize: 6, decaySteps: 2, decayRate: 1 }
 * const values = (schedule: Schedules.Schedule) => [0, 1, 2, 3, 4].map((step) => Schedules.at(schedule, step))
 * assert.deepStrictEqual(values(Schedules.inverseTimeDecay(options)), [6, 4, 3, 2.4, 2])
 * assert.deepStrictEqual(values(Schedules.inverseTimeDecay({ ...options, staircase: true })), [6, 6, 3, 3, 2])
 * ```
 */
export const inverseTimeDecay = (options: InverseTimeDecayOptions): InverseTimeDecay => construct(kind, options)
