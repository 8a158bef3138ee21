/**
 * Lifting: any step size becomes a schedule or a function of the step, checked at the door.
 */
import type { Schedule, ScheduleFunction, StepSize } from "../Schedule.ts"
import { faults, isTagged, maxLevels } from "./catalogue.ts"
import * as Fault from "./Fault.ts"
import { refuse, refuseAny } from "./Kind.ts"

/** Throws `InvalidSchedule` for a value that is no step size. */
export const refuseStepSize = (operation: string, path: Fault.Fault["path"], value: unknown): never =>
  refuse(operation, { path, value, expected: "a finite number, a schedule or a function of the step" })

/**
 * A number as a constant schedule, a schedule or a function as it is. Throws `InvalidSchedule` in the name of
 * `operation`, with the field at `path`.
 */
export const lift = (
  operation: string,
  path: Fault.Fault["path"],
  value: StepSize,
  levels: number = maxLevels
): Schedule | ScheduleFunction => {
  if (typeof value === "function") return value
  if (Number.isFinite(value)) return { _tag: "Constant", stepSize: value as number }
  if (!isTagged(value)) return refuseStepSize(operation, path, value)
  refuseAny(operation, Fault.under(path, faults(value, levels)))
  return value
}

/** The same for a part of a schedule, which is one level down. */
export const liftPart = (operation: string, path: Fault.Fault["path"], value: StepSize): Schedule | ScheduleFunction =>
  lift(operation, path, value, maxLevels - 1)

/**
 * What a combinator makes of its parts: data of data and numbers, a function as soon as a part is a function.
 */
export type Combined<S extends StepSize, Data extends Schedule> = [S] extends [Schedule | number]
  ? Data
  : [S] extends [ScheduleFunction]
    ? ScheduleFunction
    : Data | ScheduleFunction
