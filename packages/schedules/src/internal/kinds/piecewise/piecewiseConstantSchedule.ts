/** `piecewiseConstantSchedule`: a staircase of factors. */
import { construct, define } from "../../Kind.ts"
import { type BoundariesAndScales, boundariesAndScales, knotsOf } from "./knots.ts"
import * as Rule from "../../Rule.ts"

/** A value that is multiplied by a factor at each boundary. */
export interface PiecewiseConstantSchedule {
  readonly _tag: "PiecewiseConstantSchedule"
  readonly initValue: number
  readonly boundariesAndScales: BoundariesAndScales
}

/** What `piecewiseConstantSchedule` is made from. */
export interface PiecewiseConstantScheduleOptions {
  /** The value before the first boundary. */
  readonly initValue: number
  /** By the step from which they hold: the factors, each 0 or more, which multiply up. Default `{}`. */
  readonly boundariesAndScales?: BoundariesAndScales | undefined
}

export const kind = define<PiecewiseConstantSchedule>({
  tag: "PiecewiseConstantSchedule",
  fields: { initValue: Rule.finite, boundariesAndScales },
  defaults: { boundariesAndScales: {} },
  at: ({ boundariesAndScales, initValue }, step) =>
    knotsOf(boundariesAndScales).reduce(
      (value, [boundary, scale]) => (step >= boundary ? scale * value : value),
      initValue
    )
})

/**
 * A staircase of factors: from each boundary on, the value is multiplied by the boundary's factor.
 *
 *     at(t) = initValue · product of the scales of all boundaries b with b <= t
 *
 * The new value holds *at* its boundary; `piecewiseConstant` is given the values themselves and changes a step later.
 * Throws `InvalidSchedule` unless `initValue` is finite, each boundary is a non-negative integer and each factor is >=
 * 0.
 * Source: `piecewise_constant_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.piecewiseConstantSchedule({ initValue: 8, boundariesAndScales: { 100: 0.5, 200: 0.25 } })
 * assert.deepStrictEqual([0, 99, 100, 199, 200].map((step) => Schedules.at(schedule, step)), [8, 8, 4, 4, 1])
 * ```
 */
export const piecewiseConstantSchedule = (options: PiecewiseConstantScheduleOptions): PiecewiseConstantSchedule =>
  construct(kind, options)
