/** The data of `clamp`: a schedule kept between two bounds. */
import type { Schedule } from "../../Schedule.ts"
import * as Fault from "../Fault.ts"
import type { Kind } from "../Kind.ts"

/** A schedule whose values are kept between `minimum` and `maximum`; `null` is no bound on that side. */
export interface Clamp {
  readonly _tag: "Clamp"
  readonly minimum: number | null
  readonly maximum: number | null
  readonly schedule: Schedule
}

/** Whether the bounds are numbers, at least one is there, and they leave something between them. */
export const boundFaults = (bounds: Omit<Clamp, "_tag" | "schedule">): ReadonlyArray<Fault.Fault> => {
  const { maximum, minimum } = bounds
  const fields = Fault.ofFields(bounds, { minimum: Fault.finiteOrNull, maximum: Fault.finiteOrNull })
  if (fields.length > 0) return fields
  if (minimum === null && maximum === null) {
    return [{ path: ["minimum"], value: undefined, expected: "a minimum, a maximum or both" }]
  }
  if (minimum === null || maximum === null || minimum <= maximum) return []
  return [{ path: ["maximum"], value: maximum, expected: `at least the minimum, ${minimum}` }]
}

/** The value, or the bound that it passed. NaN stays NaN. */
export const between = ({ maximum, minimum }: Omit<Clamp, "_tag" | "schedule">, value: number): number => {
  if (minimum !== null && value < minimum) return minimum
  if (maximum !== null && value > maximum) return maximum
  return value
}

export const kind: Kind<Clamp> = {
  name: "clamp",
  faults: (self, nested) => [...boundFaults(self), ...Fault.under(["schedule"], nested(self.schedule))],
  at: (self, step, nested) => between(self, nested(self.schedule, step))
}
