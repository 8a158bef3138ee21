/** `piecewiseConstant`: a staircase of given values. */
import { oneMoreThan } from "../../Fault.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** One value after another, switched just after each boundary. */
export interface PiecewiseConstant {
  readonly _tag: "PiecewiseConstant"
  readonly boundaries: ReadonlyArray<number>
  readonly values: ReadonlyArray<number>
}

/** What `piecewiseConstant` is made from. */
export interface PiecewiseConstantOptions {
  /** The last step of each value but the last. They are counted, so their order does not matter. */
  readonly boundaries: ReadonlyArray<number>
  /** The step sizes, one more than there are boundaries. */
  readonly values: ReadonlyArray<number>
}

export const kind = define<PiecewiseConstant>({
  tag: "PiecewiseConstant",
  fields: { boundaries: Rule.list(Rule.finite), values: Rule.list(Rule.finite) },
  relations: ({ boundaries, values }) =>
    values.length === boundaries.length + 1
      ? []
      : [{ path: ["values"], value: values, expected: oneMoreThan("boundaries", boundaries) }],
  at: ({ boundaries, values }, step) => {
    const passed = boundaries.reduce((count, boundary) => (step > boundary ? count + 1 : count), 0)
    return values[passed] as number // sound data has one value more than boundaries
  }
})

/**
 * Piecewise constant: a staircase of given values.
 *
 *     at(t) = values[ number of boundaries b with t > b ]
 *
 * The old value still holds *at* its boundary; the next one starts a step later. (`join` and Optax's
 * `piecewiseConstantSchedule` switch at the boundary.)
 * Throws `InvalidSchedule` unless all numbers are finite and there is one value more than there are boundaries.
 * Source: `piecewise_constant` of `jax.example_libraries.optimizers`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.piecewiseConstant({ boundaries: [25, 75], values: [1, 0.5, 0.1] })
 * assert.deepStrictEqual([0, 25, 26, 75, 76].map((step) => Schedules.at(schedule, step)), [1, 1, 0.5, 0.5, 0.1])
 * ```
 */
export const piecewiseConstant = (options: PiecewiseConstantOptions): PiecewiseConstant => construct(kind, options)
