/** `polynomialSchedule`: from one value to another along a power of the remaining time, from some step on. */
import { polynomial, progress } from "../../curves.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** `initValue` until step `transitionBegin`, then to `endValue` in `transitionSteps` steps. */
export interface PolynomialSchedule {
  readonly _tag: "PolynomialSchedule"
  readonly initValue: number
  readonly endValue: number
  readonly power: number
  readonly transitionSteps: number
  readonly transitionBegin: number
}

/** What `polynomialSchedule` is made from. */
export interface PolynomialScheduleOptions {
  /** The value until step `transitionBegin`. */
  readonly initValue: number
  /** The value from step `transitionBegin + transitionSteps` on. */
  readonly endValue: number
  /** The power of the remaining fraction of time; 1 is a straight line. 0 or more. */
  readonly power: number
  /** The number of steps from one value to the other. Above 0. */
  readonly transitionSteps: number
  /** The step at which the value begins to change. 0 or more. Default 0. */
  readonly transitionBegin?: number | undefined
}

export const kind = define<PolynomialSchedule>({
  tag: "PolynomialSchedule",
  fields: {
    initValue: Rule.finite,
    endValue: Rule.finite,
    power: Rule.nonNegative,
    transitionSteps: Rule.positive,
    transitionBegin: Rule.nonNegative
  },
  defaults: { transitionBegin: 0 },
  at: ({ endValue, initValue, power, transitionBegin, transitionSteps }, step) =>
    polynomial(initValue, endValue, power, progress(step - transitionBegin, transitionSteps))
})

/**
 * From one value to another along a power of the remaining time, from step `transitionBegin` on.
 *
 *     s = min(max(t − transitionBegin, 0), transitionSteps)
 *     at(t) = (initValue − endValue) · (1 − s / transitionSteps)^power + endValue
 *
 * With `power` 0 the value is `initValue` throughout, as 0⁰ = 1. Throws `InvalidSchedule` unless both values are
 * finite, `transitionSteps` > 0, `transitionBegin` >= 0 and `power` >= 0.
 * Source: `polynomial_schedule` of Optax, which gives a constant for `transition_steps` of 0 or less and takes a
 * negative `transition_begin` for 0. `polynomialDecay` always begins at step 0.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.polynomialSchedule({
 *   initValue: 5,
 *   endValue: 1,
 *   power: 2,
 *   transitionSteps: 4,
 *   transitionBegin: 10
 * })
 * assert.deepStrictEqual([0, 10, 12, 14, 99].map((step) => Schedules.at(schedule, step)), [5, 5, 2, 1, 1])
 * ```
 */
export const polynomialSchedule = (options: PolynomialScheduleOptions): PolynomialSchedule => construct(kind, options)
