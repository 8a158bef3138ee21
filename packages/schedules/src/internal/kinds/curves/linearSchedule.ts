/** `linearSchedule`: from one value to another on a straight line, from some step on. */
import { polynomial, progress } from "../../curves.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** `initValue` until step `transitionBegin`, then on a straight line to `endValue` in `transitionSteps` steps. */
export interface LinearSchedule {
  readonly _tag: "LinearSchedule"
  readonly initValue: number
  readonly endValue: number
  readonly transitionSteps: number
  readonly transitionBegin: number
}

/** What `linearSchedule` is made from. */
export interface LinearScheduleOptions {
  /** The value until step `transitionBegin`. */
  readonly initValue: number
  /** The value from step `transitionBegin + transitionSteps` on. */
  readonly endValue: number
  /** The number of steps from one value to the other. Above 0. */
  readonly transitionSteps: number
  /** The step at which the value begins to change. 0 or more. Default 0. */
  readonly transitionBegin?: number | undefined
}

export const kind = define<LinearSchedule>({
  tag: "LinearSchedule",
  fields: {
    initValue: Rule.finite,
    endValue: Rule.finite,
    transitionSteps: Rule.positive,
    transitionBegin: Rule.nonNegative
  },
  defaults: { transitionBegin: 0 },
  at: ({ endValue, initValue, transitionBegin, transitionSteps }, step) =>
    polynomial(initValue, endValue, 1, progress(step - transitionBegin, transitionSteps))
})

/**
 * From one value to another on a straight line, from step `transitionBegin` on: a `polynomialSchedule` of power 1.
 *
 *     s = min(max(t − transitionBegin, 0), transitionSteps)
 *     at(t) = (initValue − endValue) · (1 − s / transitionSteps) + endValue
 *
 * Throws `InvalidSchedule` unless both values are finite, `transitionSteps` > 0 and `transitionBegin` >= 0.
 * Source: `linear_schedule` of Optax, which gives a constant for `transition_steps` of 0 or less and takes a negative
 * `transition_begin` for 0.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const warmUp = Schedules.linearSchedule({ initValue: 0, endValue: 1, transitionSteps: 4, transitionBegin: 2 })
 * assert.deepStrictEqual([0, 2, 3, 4, 5, 6].map((step) => Schedules.at(warmUp, step)), [0, 0, 0.25, 0.5, 0.75, 1])
 * ```
 */
export const linearSchedule = (options: LinearScheduleOptions): LinearSchedule => construct(kind, options)
