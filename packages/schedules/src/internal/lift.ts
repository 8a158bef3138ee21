/**
 * Lifting: any step size becomes a schedule or a function of the step, checked at the door.
 */
import type { Schedule, ScheduleFunction, StepSize } from "../Schedule.ts"
import { faults, isTagged } from "./catalogue.ts"
import * as Fault from "./Fault.ts"
import { refuse } from "./Kind.ts"

const stepSize: Fault.Rule = {
  expected: "a finite number, a schedule or a function of the step",
  accepts: (value) => Number.isFinite(value) || typeof value === "function" || isTagged(value)
}

/**
 * A number as a constant schedule, a schedule or a function as it is. Throws `InvalidSchedule` in the name of
 * `operation`, with the field at `path`.
 */
export const lift = (operation: string, path: Fault.Fault["path"], value: StepSize): Schedule | ScheduleFunction => {
  if (!stepSize.accepts(value)) refuse(operation, [{ path, value, expected: stepSize.expected }])
  if (typeof value === "function") return value
  if (typeof value === "number") return { _tag: "Constant", stepSize: value }
  refuse(operation, Fault.under(path, faults(value)))
  return value
}

/**
 * What a combinator makes of its parts: data of data and numbers, a function as soon as a part is a function.
 */
export type Combined<S extends StepSize, Data extends Schedule> = [S] extends [Schedule | number]
  ? Data
  : [S] extends [ScheduleFunction]
    ? ScheduleFunction
    : Data | ScheduleFunction
