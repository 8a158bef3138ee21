/** The data of `scale`: a schedule times a factor. */
import type { Schedule } from "../../../Schedule.ts"
import { define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** A schedule whose every value is multiplied by `factor`. */
export interface Scale {
  readonly _tag: "Scale"
  readonly factor: number
  readonly schedule: Schedule
}

export const kind = define<Scale>({
  tag: "Scale",
  fields: { factor: Rule.finite, schedule: Rule.schedule },
  at: ({ factor, schedule }, step, inside) => inside(schedule, step) * factor
})
