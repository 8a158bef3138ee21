/** `clamp`: a step size kept between two bounds. */
import { dual } from "effect/Function"
import type { StepSize } from "../../Schedule.ts"
import { refuseAny } from "../Kind.ts"
import { between, bounds as rule, type Clamp } from "../kinds/combined/clamp.ts"
import { type Combined, liftPart } from "../lift.ts"
import { faultsOf } from "../Rule.ts"

/** The bounds of `clamp`: at least one of them. */
export type ClampBounds =
  | { readonly minimum: number; readonly maximum?: number | undefined }
  | { readonly minimum?: number | undefined; readonly maximum: number }

/**
 * The step size kept between `minimum` and `maximum`.
 *
 *     at(t) = min(max(schedule(t), minimum), maximum)
 *
 * A bound that is left out does not bind; NaN stays NaN. A schedule or a number gives data, a function gives a
 * function. Data-first and data-last.
 * Throws `InvalidSchedule` unless there is a bound, the bounds are finite, `minimum` <= `maximum` and the schedule is
 * sound.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const decay = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 1, decayRate: 0.5 })
 * const floored = Schedules.clamp(decay, { minimum: 0.2 })
 * assert.deepStrictEqual([0, 1, 2, 3, 100].map((step) => Schedules.at(floored, step)), [1, 0.5, 0.25, 0.2, 0.2])
 * ```
 */
export const clamp: {
  (bounds: ClampBounds): <S extends StepSize>(schedule: S) => Combined<S, Clamp>
  <S extends StepSize>(schedule: S, bounds: ClampBounds): Combined<S, Clamp>
} = dual(2, (self: StepSize, { maximum, minimum, ...rest }: ClampBounds): Combined<StepSize, Clamp> => {
  const bounds = { minimum: minimum ?? null, maximum: maximum ?? null, ...rest }
  refuseAny("clamp", faultsOf(rule, bounds))
  const schedule = liftPart("clamp", ["schedule"], self)
  if (typeof schedule === "function") return (step) => between(bounds, schedule(step))
  return { _tag: "Clamp", ...bounds, schedule }
})
