/** The data of `clamp`: a schedule kept between two bounds. */
import type { Schedule } from "../../../Schedule.ts"
import type { Fault } from "../../Fault.ts"
import { define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** A schedule whose values are kept between `minimum` and `maximum`; `null` is no bound on that side. */
export interface Clamp {
  readonly _tag: "Clamp"
  readonly minimum: number | null
  readonly maximum: number | null
  readonly schedule: Schedule
}

/** The bounds alone. */
type Bounds = Omit<Clamp, "_tag" | "schedule">

/** Whether at least one bound is there, and they leave something between them. */
const relations = ({ maximum, minimum }: Bounds): ReadonlyArray<Fault> => {
  if (minimum === null && maximum === null) {
    return [{ path: ["minimum"], value: undefined, expected: "a minimum, a maximum or both" }]
  }
  if (minimum === null || maximum === null || minimum <= maximum) return []
  return [{ path: ["maximum"], value: maximum, expected: `at least the minimum, ${minimum}` }]
}

const unbounded = { minimum: null, maximum: null }

/** What `clamp` is given besides the schedule. */
export const bounds: Rule.Struct<Bounds> = Rule.struct<Bounds>(
  { minimum: Rule.finiteOrNull, maximum: Rule.finiteOrNull },
  { defaults: unbounded, relations: relations }
)

/** The value, or the bound that it passed. NaN stays NaN. */
export const between = ({ maximum, minimum }: Bounds, value: number): number => {
  if (minimum !== null && value < minimum) return minimum
  if (maximum !== null && value > maximum) return maximum
  return value
}

export const kind = define<Clamp>({
  tag: "Clamp",
  fields: { ...bounds.fields, schedule: Rule.schedule },
  defaults: unbounded,
  relations,
  at: (self, step, inside) => between(self, inside(self.schedule, step))
})
