import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Golden from "./golden.ts"

/** What is exported without a record of the reference, and why that is right. */
const withoutRecord: Readonly<Record<string, string>> = {
  InvalidSchedule: "the error class",
  Schedule: "the codec",
  at: "evaluates; every record goes through it",
  clamp: "a combinator; the reference has none, its laws are tested",
  isSchedule: "a guard",
  make: "takes any step size; every record goes through it",
  map: "a combinator; the reference has none, its laws are tested",
  scale: "a combinator; the reference has none, its laws are tested"
}

const recorded = new Set(
  ["jax-schedules.json", "optax-schedules.json"].flatMap(Golden.read).map(({ name }) => Golden.nameOf(name))
)

describe("catalogue", () => {
  it("every export has a golden record, or a reason for having none", () => {
    const expected = [...recorded, ...Object.keys(withoutRecord)].toSorted()
    assert.deepStrictEqual(Object.keys(Schedules).toSorted(), expected)
  })

  it("every schedule of the records is a function that makes a schedule", () => {
    for (const name of recorded) assert.property(Schedules, name)
  })
})
