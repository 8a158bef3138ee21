/** The data of `join`: schedules one after another, each starting its own count. */
import type { Schedule } from "../../../Schedule.ts"
import { type Fault, oneMoreThan, under } from "../../Fault.ts"
import { define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** Schedules one after another; from step `boundaries[i]` on, `schedules[i + 1]` counts its own steps from 0. */
export interface Join {
  readonly _tag: "Join"
  readonly boundaries: ReadonlyArray<number>
  readonly schedules: ReadonlyArray<Schedule>
}

const starts = Rule.list(Rule.stepIndex)

/** Whether the boundaries are in ascending order, with one schedule more than there are boundaries. */
const relations = ({
  boundaries,
  schedules
}: {
  readonly boundaries: ReadonlyArray<number>
  readonly schedules: ReadonlyArray<unknown>
}): ReadonlyArray<Fault> => {
  const down = boundaries.findIndex((boundary, index) => index > 0 && boundary < (boundaries[index - 1] as number))
  if (down > 0) {
    return [{ path: ["boundaries", down], value: boundaries[down], expected: `at least ${boundaries[down - 1]}` }]
  }
  if (schedules.length === boundaries.length + 1) return []
  return [{ path: ["schedules"], value: schedules, expected: oneMoreThan("boundaries", boundaries) }]
}

/** What is wrong with the parts of `join`, apart from what is wrong inside each of them. */
export const layoutFaults = (
  boundaries: ReadonlyArray<number>,
  schedules: ReadonlyArray<unknown>
): ReadonlyArray<Fault> => {
  const bad = under(["boundaries"], Rule.faultsOf(starts, boundaries))
  if (bad.length > 0) return bad
  if (!Array.isArray(schedules)) return [{ path: ["schedules"], value: schedules, expected: "an array" }]
  return relations({ boundaries, schedules })
}

/** Which schedule holds at a step, and the step at which it began. */
export const phaseAt = (
  boundaries: ReadonlyArray<number>,
  step: number
): { readonly index: number; readonly start: number } => {
  const last = boundaries.findLastIndex((boundary) => step >= boundary)
  return { index: last + 1, start: boundaries[last] ?? 0 }
}

export const kind = define<Join>({
  tag: "Join",
  fields: { boundaries: starts, schedules: Rule.list(Rule.schedule) },
  relations,
  at: ({ boundaries, schedules }, step, inside) => {
    const { index, start } = phaseAt(boundaries, step)
    return inside(schedules[index] as Schedule, step - start) // sound data has one schedule more than boundaries
  }
})
