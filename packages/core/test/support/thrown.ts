/** What plain code throws, as a value. */
import { assert } from "@effect/vitest"

export const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return assert.fail("nothing was thrown")
}

/** The message of what plain code throws. */
export const message = (run: () => unknown): string => (thrown(run) as Error).message
