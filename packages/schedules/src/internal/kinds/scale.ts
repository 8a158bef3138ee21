/** The data of `scale`: a schedule times a factor. */
import type { Schedule } from "../../Schedule.ts"
import * as Fault from "../Fault.ts"
import type { Kind } from "../Kind.ts"

/** A schedule whose every value is multiplied by `factor`. */
export interface Scale {
  readonly _tag: "Scale"
  readonly factor: number
  readonly schedule: Schedule
}

export const kind: Kind<Scale> = {
  name: "scale",
  faults: (self, nested) => [
    ...Fault.ofFields(self, { factor: Fault.finite }),
    ...Fault.under(["schedule"], nested(self.schedule))
  ],
  at: ({ factor, schedule }, step, nested) => nested(schedule, step) * factor
}
