/** `polynomialDecay`: from one step size to another along a power of the remaining time. */
import { polynomial } from "../../curves.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** The step size goes from `stepSize` to `finalStepSize` in `decaySteps` steps, then stays there. */
export interface PolynomialDecay {
  readonly _tag: "PolynomialDecay"
  readonly stepSize: number
  readonly decaySteps: number
  readonly finalStepSize: number
  readonly power: number
}

/** What `polynomialDecay` is made from. */
export interface PolynomialDecayOptions {
  /** The value at step 0. */
  readonly stepSize: number
  /** The number of steps until the final value is reached. Above 0. */
  readonly decaySteps: number
  /** The value from step `decaySteps` on. Above `stepSize` it is a warm-up. */
  readonly finalStepSize: number
  /** The power of the remaining fraction of time; 1 is a straight line. 0 or more. Default 1. */
  readonly power?: number | undefined
}

export const kind = define<PolynomialDecay>({
  tag: "PolynomialDecay",
  fields: {
    stepSize: Rule.finite,
    decaySteps: Rule.positive,
    finalStepSize: Rule.finite,
    power: Rule.nonNegative
  },
  defaults: { power: 1 },
  at: ({ decaySteps, finalStepSize, power, stepSize }, step) =>
    polynomial(stepSize, finalStepSize, power, Math.min(step, decaySteps) / decaySteps)
})

/**
 * Polynomial decay: from `stepSize` to `finalStepSize` along a power of the remaining time, then constant.
 *
 *     s = min(t, decaySteps)
 *     at(t) = (1 − s / decaySteps)^power · (stepSize − finalStepSize) + finalStepSize
 *
 * With `power` 0 the value is `stepSize` throughout, as 0⁰ = 1. Throws `InvalidSchedule` unless both step sizes are
 * finite, `decaySteps` > 0 and `power` >= 0 (a negative power ends in a division by zero).
 * Source: `polynomial_decay` of `jax.example_libraries.optimizers`; `polynomialSchedule` is Optax's, which can begin
 * later.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.polynomialDecay({ stepSize: 5, decaySteps: 4, finalStepSize: 1, power: 2 })
 * assert.deepStrictEqual([0, 2, 4, 9].map((step) => Schedules.at(schedule, step)), [5, 2, 1, 1])
 * ```
 */
export const polynomialDecay = (options: PolynomialDecayOptions): PolynomialDecay => construct(kind, options)
