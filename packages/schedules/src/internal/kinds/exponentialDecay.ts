/** `exponentialDecay`: the step size is multiplied by one rate every so many steps. */
import * as Fault from "../Fault.ts"
import { type Kind, sound } from "../Kind.ts"

/** The step size is multiplied by `decayRate` every `decaySteps` steps, smoothly in between. */
export interface ExponentialDecay {
  readonly _tag: "ExponentialDecay"
  readonly stepSize: number
  readonly decaySteps: number
  readonly decayRate: number
}

/** What `exponentialDecay` is made from. */
export interface ExponentialDecayOptions {
  /** The value at step 0. */
  readonly stepSize: number
  /** After this many steps the value has been multiplied by `decayRate` once. Above 0. */
  readonly decaySteps: number
  /** The factor per `decaySteps` steps. 0 or more; above 1 the step size grows. */
  readonly decayRate: number
}

export const kind: Kind<ExponentialDecay> = {
  name: "exponentialDecay",
  faults: (self) =>
    Fault.ofFields(self, { stepSize: Fault.finite, decaySteps: Fault.positive, decayRate: Fault.nonNegative }),
  at: ({ decayRate, decaySteps, stepSize }, step) => stepSize * decayRate ** (step / decaySteps)
}

/**
 * Exponential decay: the step size is multiplied by `decayRate` every `decaySteps` steps, smoothly in between.
 *
 *     at(t) = stepSize · decayRate^(t / decaySteps)
 *
 * There is no floor and no staircase. Throws `InvalidSchedule` unless `stepSize` is finite, `decaySteps` > 0 and
 * `decayRate` >= 0 (a negative base has no real power at most steps).
 * Source: `exponential_decay` of `jax.example_libraries.optimizers`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.exponentialDecay({ stepSize: 8, decaySteps: 10, decayRate: 0.5 })
 * assert.deepStrictEqual([0, 10, 20, 30].map((step) => Schedules.at(schedule, step)), [8, 4, 2, 1])
 * ```
 */
export const exponentialDecay = ({ decayRate, decaySteps, stepSize }: ExponentialDecayOptions): ExponentialDecay =>
  sound(kind, { _tag: "ExponentialDecay", stepSize, decaySteps, decayRate })
