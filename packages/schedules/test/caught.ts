import { assert } from "@effect/vitest"
import * as Schedules from "@optim/schedules"

/** The `InvalidSchedule` that a call throws. */
export const refusal = (make: () => unknown): Schedules.InvalidSchedule => {
  try {
    make()
  } catch (error) {
    assert.instanceOf(error, Schedules.InvalidSchedule)
    return error
  }
  return assert.fail("nothing was refused")
}
