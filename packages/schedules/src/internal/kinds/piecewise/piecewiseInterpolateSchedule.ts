/** `piecewiseInterpolateSchedule`: from factor to factor without a jump. */
import { construct, define } from "../../Kind.ts"
import {
  type BoundariesAndScales,
  boundariesAndScales,
  interpolated,
  type InterpolateType,
  interpolateType,
  knotsOf
} from "./knots.ts"
import * as Rule from "../../Rule.ts"

/** A value that has been multiplied by a factor once a boundary is reached, and is on the way there before. */
export interface PiecewiseInterpolateSchedule {
  readonly _tag: "PiecewiseInterpolateSchedule"
  readonly interpolateType: InterpolateType
  readonly initValue: number
  readonly boundariesAndScales: BoundariesAndScales
}

/** What `piecewiseInterpolateSchedule` is made from. */
export interface PiecewiseInterpolateScheduleOptions {
  /** The way between boundaries: a straight line or half a wave of the cosine. */
  readonly interpolateType: InterpolateType
  /** The value at step 0. */
  readonly initValue: number
  /** By the step at which they are reached: the factors, each 0 or more, which multiply up. Default `{}`. */
  readonly boundariesAndScales?: BoundariesAndScales | undefined
}

export const kind = define<PiecewiseInterpolateSchedule>({
  tag: "PiecewiseInterpolateSchedule",
  fields: { interpolateType, initValue: Rule.finite, boundariesAndScales },
  defaults: { boundariesAndScales: {} },
  at: ({ boundariesAndScales, initValue, interpolateType }, step) =>
    interpolated(interpolateType, initValue, knotsOf(boundariesAndScales), step)
})

/**
 * From factor to factor without a jump: at each boundary the value has been multiplied by the boundary's factor, and
 * between two boundaries it goes from the one value to the other.
 *
 *     v₀ = initValue at b₀ = 0      vᵢ = vᵢ₋₁ · scale of bᵢ at bᵢ      p = (t − bᵢ) / (bᵢ₊₁ − bᵢ)
 *     at(t) = vᵢ + (vᵢ₊₁ − vᵢ) · p                                       linear, bᵢ <= t < bᵢ₊₁
 *     at(t) = vᵢ₊₁ + (vᵢ − vᵢ₊₁) · ½ · (1 + cos(π · p))                  cosine, bᵢ <= t < bᵢ₊₁
 *
 * After the last boundary its value stays; a boundary at step 0 replaces the first value. Throws `InvalidSchedule`
 * unless `initValue` is finite, each boundary is a non-negative integer and each factor is >= 0.
 * Source: `piecewise_interpolate_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.piecewiseInterpolateSchedule({
 *   interpolateType: "linear",
 *   initValue: 8,
 *   boundariesAndScales: { 2: 0.5, 4: 0.25 }
 * })
 * assert.deepStrictEqual([0, 1, 2, 3, 4, 5].map((step) => Schedules.at(schedule, step)), [8, 6, 4, 2.5, 1, 1])
 * ```
 */
export const piecewiseInterpolateSchedule = (
  options: PiecewiseInterpolateScheduleOptions
): PiecewiseInterpolateSchedule => construct(kind, options)
