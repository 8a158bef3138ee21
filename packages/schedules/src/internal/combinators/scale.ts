/** `scale`: a step size times a factor. */
import { dual } from "effect/Function"
import type { StepSize } from "../../Schedule.ts"
import { under } from "../Fault.ts"
import { refuseAny } from "../Kind.ts"
import type { Scale } from "../kinds/combined/scale.ts"
import { type Combined, liftPart } from "../lift.ts"
import { faultsOf, finite } from "../Rule.ts"

/**
 * The step size times `factor` at every step.
 *
 *     at(t) = schedule(t) · factor
 *
 * A schedule or a number gives data, a function gives a function. Data-first and data-last.
 * Throws `InvalidSchedule` unless `factor` is finite and the schedule is sound.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const decay = Schedules.inverseTimeDecay({ stepSize: 0.1, decaySteps: 3, decayRate: 2 })
 * const doubled = Schedules.scale(decay, 2)
 * assert.strictEqual(Schedules.at(doubled, 7), 2 * Schedules.at(decay, 7))
 * assert.deepStrictEqual(JSON.parse(JSON.stringify(doubled)), doubled)
 * ```
 */
export const scale: {
  (factor: number): <S extends StepSize>(schedule: S) => Combined<S, Scale>
  <S extends StepSize>(schedule: S, factor: number): Combined<S, Scale>
} = dual(2, (self: StepSize, factor: number): Combined<StepSize, Scale> => {
  refuseAny("scale", under(["factor"], faultsOf(finite, factor)))
  const schedule = liftPart("scale", ["schedule"], self)
  if (typeof schedule === "function") return (step) => schedule(step) * factor
  return { _tag: "Scale", factor, schedule }
})
