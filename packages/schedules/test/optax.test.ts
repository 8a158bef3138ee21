/** Optax's schedules: every record that Optax made of them, against the functions here. */
import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Arr from "effect/Array"
import { refusal } from "./caught.ts"
import * as Golden from "./golden.ts"

const records = Golden.read("optax-schedules.json")

/**
 * The largest error allowed at a value. Two platforms' powers and cosines may differ in their last digit. Where terms
 * cancel, as 1 + cos(x) does near the end of its half wave, that digit is one of the terms, which are as large as the
 * largest value.
 */
const bound = (record: Golden.GoldenRecord): ((value: number) => number) => {
  const cancels = /polynomial|interpolate|cosine|sgdr/.test(JSON.stringify([record.name, record.kwargs]))
  const largest = Math.max(...record.values.map(Math.abs))
  return (value) => (cancels ? Math.min(1e-12 * Math.abs(value), 1e-15 * largest) : Golden.lastDigits * Math.abs(value))
}

interface Exception {
  readonly reason: string
  /** The field that is refused, or what the schedule is worth at a step instead. */
  readonly instead: string | ((step: number) => number)
}

const noTransition = "Optax logs a line and gives a constant; a transition in no steps or fewer is a mistake"
const early = "Optax logs a line and begins at step 0; a transition that begins before step 0 is a mistake"

/** The records that are not followed: Optax repairs their arguments in silence. */
const exceptions: Readonly<Record<string, Exception>> = {
  "polynomial_schedule/12": { reason: noTransition, instead: "transitionSteps" },
  "polynomial_schedule/13": { reason: early, instead: "transitionBegin" },
  "linear_schedule/16": { reason: noTransition, instead: "transitionSteps" },
  "exponential_decay/26": { reason: noTransition, instead: "decaySteps" },
  "exponential_decay/27": {
    reason: "Optax logs a line and gives a constant; in jax.example_libraries a rate of 0 is a factor, and 0⁰ = 1",
    instead: (step) => (step === 0 ? 0.1 : 0)
  },
  "exponential_decay/28": { reason: early, instead: "transitionBegin" },
  "warmup_constant_schedule/52": {
    reason: "Optax never leaves init_value after a warm-up of no steps, while its other warm-ups begin at the peak",
    instead: () => 1
  }
}

describe("numbers", () => {
  it("all records are here", () => {
    assert.lengthOf(records, 64)
    assert.includeMembers(
      records.map(({ id }) => id),
      Object.keys(exceptions)
    )
  })

  for (const record of records.filter(({ id }) => exceptions[id] === undefined)) {
    it(`follows ${record.id}`, () => {
      Golden.assertClose(Golden.scheduleOf(record), record, bound(record))
    })
  }

  for (const [id, { instead, reason }] of Object.entries(exceptions)) {
    it(`${id}, unlike Optax. ${reason}`, () => {
      const record = records.find((record) => record.id === id) ?? assert.fail("no such record")
      if (typeof instead === "string") {
        assert.strictEqual(refusal(() => Golden.scheduleOf(record)).field, instead)
        return
      }
      const found = record.steps.map((step) => Schedules.at(Golden.scheduleOf(record), step))
      assert.deepStrictEqual(found, record.steps.map(instead))
      assert.isTrue(Arr.zip(found, record.values).some(([found, value]) => found !== value))
    })
  }
})
