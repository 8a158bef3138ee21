/** `exponentialDecay`: the step size is multiplied by one rate every so many steps. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** The step size is multiplied by `decayRate` every `decaySteps` steps, smoothly or in stairs. */
export interface ExponentialDecay {
  readonly _tag: "ExponentialDecay"
  readonly stepSize: number
  readonly decaySteps: number
  readonly decayRate: number
  readonly transitionBegin: number
  readonly staircase: boolean
  readonly endValue: number | null
}

/** What `exponentialDecay` is made from. */
export interface ExponentialDecayOptions {
  /** The value at step 0. Optax: `init_value`. */
  readonly stepSize: number
  /** After this many steps the value has been multiplied by `decayRate` once. Above 0. Optax: `transition_steps`. */
  readonly decaySteps: number
  /** The factor per `decaySteps` steps. 0 or more; above 1 the step size grows. */
  readonly decayRate: number
  /** The step until which the value stays at `stepSize`, and from which the decay counts. 0 or more. Default 0. */
  readonly transitionBegin?: number | undefined
  /** Whether only whole `decaySteps` count, so that the value changes in stairs. Default `false`. */
  readonly staircase?: boolean | undefined
  /** Where the value stops: from below if `decayRate` < 1, else from above. Default `null`, nowhere. */
  readonly endValue?: number | null | undefined
}

/** The value at a step, for data of this kind and for whatever ends in such a decay. */
export const decayed = (
  { decayRate, decaySteps, endValue, staircase, stepSize, transitionBegin }: Omit<ExponentialDecay, "_tag">,
  step: number
): number => {
  const elapsed = Math.max(step - transitionBegin, 0) / decaySteps
  const value = stepSize * decayRate ** (staircase ? Math.floor(elapsed) : elapsed)
  if (endValue === null) return value
  return decayRate < 1 ? Math.max(value, endValue) : Math.min(value, endValue)
}

/** The fields that say how to decay, for whatever ends in such a decay. */
export const decayFields = {
  decayRate: Rule.nonNegative,
  transitionBegin: Rule.nonNegative,
  staircase: Rule.flag,
  endValue: Rule.finiteOrNull
}

export const decayDefaults = { transitionBegin: 0, staircase: false, endValue: null }

export const kind = define<ExponentialDecay>({
  tag: "ExponentialDecay",
  fields: { stepSize: Rule.finite, decaySteps: Rule.positive, ...decayFields },
  defaults: decayDefaults,
  at: decayed
})

/**
 * Exponential decay: the step size is multiplied by `decayRate` every `decaySteps` steps, smoothly in between.
 *
 *     s = max(t − transitionBegin, 0) / decaySteps        with staircase: ⌊s⌋
 *     at(t) = stepSize · decayRate^s                      never below endValue if decayRate < 1, else never above it
 *
 * With `decayRate` 0 the value is 0 as soon as the decay has begun, as 0⁰ = 1. Throws `InvalidSchedule` unless
 * `stepSize` and `endValue` are finite, `decaySteps` > 0, `transitionBegin` >= 0 and `decayRate` >= 0 (a negative base
 * has no real power at most steps).
 * Source: `exponential_decay` of `jax.example_libraries.optimizers`, with the further options of Optax's function of
 * this name. Optax gives a constant for a `decay_rate` of 0 and for `transition_steps` of 0 or less.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const options = { stepSize: 8, decaySteps: 10, decayRate: 0.5 }
 * const values = (schedule: Schedules.Schedule) => [0, 10, 15, 20, 30].map((step) => Schedules.at(schedule, step))
 * assert.deepStrictEqual(values(Schedules.exponentialDecay(options)), [8, 4, 8 * 0.5 ** 1.5, 2, 1])
 *
 * const late = Schedules.exponentialDecay({ ...options, transitionBegin: 10, staircase: true, endValue: 3 })
 * assert.deepStrictEqual(values(late), [8, 8, 8, 4, 3])
 * ```
 */
export const exponentialDecay = (options: ExponentialDecayOptions): ExponentialDecay => construct(kind, options)
