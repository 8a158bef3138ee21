/** `constant`: the same step size at every step. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** The same step size at every step. */
export interface Constant {
  readonly _tag: "Constant"
  readonly stepSize: number
}

export const kind = define<Constant>({
  tag: "Constant",
  fields: { stepSize: Rule.finite },
  at: ({ stepSize }) => stepSize
})

/**
 * The same step size at every step.
 *
 *     at(t) = stepSize
 *
 * Throws `InvalidSchedule` unless `stepSize` is finite.
 * Source: `constant` of `jax.example_libraries.optimizers`; `constant_schedule` of Optax is the same.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.constant(0.1)
 * assert.deepStrictEqual([0, 1, 1000].map((step) => Schedules.at(schedule, step)), [0.1, 0.1, 0.1])
 * ```
 */
export const constant = (stepSize: number): Constant => construct(kind, { stepSize })
