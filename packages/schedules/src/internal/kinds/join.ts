/** The data of `join`: schedules one after another, each starting its own count. */
import type { Schedule } from "../../Schedule.ts"
import * as Fault from "../Fault.ts"
import type { Kind } from "../Kind.ts"

/** Schedules one after another; from step `boundaries[i]` on, `schedules[i + 1]` counts its own steps from 0. */
export interface Join {
  readonly _tag: "Join"
  readonly boundaries: ReadonlyArray<number>
  readonly schedules: ReadonlyArray<Schedule>
}

/** Whether the boundaries are steps in ascending order, with one schedule more than there are boundaries. */
export const layoutFaults = (
  boundaries: ReadonlyArray<number>,
  schedules: ReadonlyArray<unknown>
): ReadonlyArray<Fault.Fault> => {
  const elements = Fault.ofList("boundaries", boundaries, Fault.stepIndex)
  if (elements.length > 0) return elements
  const down = boundaries.findIndex((boundary, index) => index > 0 && boundary < (boundaries[index - 1] as number))
  if (down > 0) {
    return [{ path: ["boundaries", down], value: boundaries[down], expected: `at least ${boundaries[down - 1]}` }]
  }
  if (!Array.isArray(schedules)) return [{ path: ["schedules"], value: schedules, expected: "an array" }]
  if (schedules.length === boundaries.length + 1) return []
  return [{ path: ["schedules"], value: schedules, expected: Fault.oneMoreThan("boundaries", boundaries) }]
}

/** Which schedule holds at a step, and the step at which it began. */
export const phaseAt = (
  boundaries: ReadonlyArray<number>,
  step: number
): { readonly index: number; readonly start: number } => {
  const last = boundaries.findLastIndex((boundary) => step >= boundary)
  return { index: last + 1, start: boundaries[last] ?? 0 }
}

export const kind: Kind<Join> = {
  name: "join",
  faults: (self, nested) => {
    const layout = layoutFaults(self.boundaries, self.schedules)
    if (layout.length > 0) return layout
    return self.schedules.flatMap((schedule, index) => Fault.under(["schedules", index], nested(schedule)))
  },
  at: ({ boundaries, schedules }, step, nested) => {
    const { index, start } = phaseAt(boundaries, step)
    return nested(schedules[index] as Schedule, step - start) // sound data has one schedule more than boundaries
  }
}
