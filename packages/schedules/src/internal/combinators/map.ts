/** `map`: a step size passed through any function. */
import { dual } from "effect/Function"
import { at, type ScheduleFunction, type StepSize } from "../../Schedule.ts"
import { lift } from "../lift.ts"

/**
 * The step size passed through `f`, which also sees the step. For what `scale`, `clamp` and `join` cannot say: the
 * result is a function, and no longer data.
 *
 *     at(t) = f(schedule(t), t)
 *
 * Data-first and data-last. Throws `InvalidSchedule` unless the schedule is sound.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const decay = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 1, decayRate: 0.5 })
 * const alternating = Schedules.map(decay, (stepSize, step) => (step % 2 === 0 ? stepSize : 0))
 * assert.deepStrictEqual([0, 1, 2, 3].map(alternating), [1, 0, 0.25, 0])
 * ```
 */
export const map: {
  (f: (stepSize: number, step: number) => number): (schedule: StepSize) => ScheduleFunction
  (schedule: StepSize, f: (stepSize: number, step: number) => number): ScheduleFunction
} = dual(2, (self: StepSize, f: (stepSize: number, step: number) => number): ScheduleFunction => {
  const schedule = lift("map", ["schedule"], self)
  return (step) => f(at(schedule, step), step)
})
