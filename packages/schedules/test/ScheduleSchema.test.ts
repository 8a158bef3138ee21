import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { runs, schedule, step } from "./arbitraries.ts"

const Json = Schema.fromJsonString(Schedules.Schedule)
const encode = Schema.encodeSync(Json)
const decode = Schema.decodeUnknownResult(Json, { errors: "all" })

const failure = (json: unknown): string => {
  const result = decode(JSON.stringify(json))
  return Result.isFailure(result) ? result.failure.message : "no failure"
}

describe("laws", () => {
  it("a schedule written to JSON and read back is the same schedule, with the same values", () => {
    const law = fc.property(schedule, step, (schedule, step) => {
      const back = Result.getOrThrow(decode(encode(schedule)))
      assert.deepStrictEqual(back, schedule)
      assert.deepStrictEqual(Schedules.at(back, step), Schedules.at(schedule, step))
    })
    fc.assert(law, runs)
  })

  it("the JSON form is the schedule itself", () => {
    const law = fc.property(schedule, (schedule) => {
      assert.deepStrictEqual(JSON.parse(encode(schedule)), schedule)
    })
    fc.assert(law, runs)
  })

  it("a codec derived for JSON or for a larger structure works alike", () => {
    const Run = Schema.toCodecJson(Schema.Struct({ stepSize: Schedules.Schedule }))
    const law = fc.property(schedule, (stepSize) => {
      const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Run)({ stepSize })))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Run)(json), { stepSize })
    })
    fc.assert(law, runs)
  })
})

describe("cases", () => {
  it("decoding names every bad field of a schedule, with what is allowed and what was found", () => {
    assert.strictEqual(
      failure({ _tag: "ExponentialDecay", stepSize: 0.1, decaySteps: 0, decayRate: -2 }),
      [
        "Expected decaySteps of exponentialDecay to be a finite number > 0, found 0",
        `  at ["decaySteps"]`,
        "Expected decayRate of exponentialDecay to be a finite number >= 0, found -2",
        `  at ["decayRate"]`
      ].join("\n")
    )
  })

  it("decoding names a field of the wrong type and a missing one", () => {
    assert.strictEqual(
      failure({ _tag: "PolynomialDecay", stepSize: "0.1", decaySteps: 10, finalStepSize: 0 }),
      [`Expected number`, `  at ["stepSize"]`, `Missing key`, `  at ["power"]`].join("\n")
    )
  })

  it("decoding gives the path of a field deep inside", () => {
    const decay = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 10, decayRate: 0.5 })
    const nested = { _tag: "Scale", factor: 2, schedule: { _tag: "Join", boundaries: [4], schedules: [decay, decay] } }
    assert.strictEqual(
      failure({
        ...nested,
        schedule: { ...nested.schedule, schedules: [decay, { ...decay, decaySteps: -10 }] }
      }),
      [
        "Expected decaySteps of exponentialDecay to be a finite number > 0, found -10",
        `  at ["schedule"]["schedules"][1]["decaySteps"]`
      ].join("\n")
    )
  })

  it("decoding compares the lengths and the order of lists", () => {
    assert.strictEqual(
      failure({ _tag: "PiecewiseConstant", boundaries: [1, 2], values: [1, 0] }),
      `Expected values of piecewiseConstant to be an array of 3, one more than boundaries, found an array of 2\n  at ["values"]`
    )
    const one = Schedules.constant(1)
    assert.strictEqual(
      failure({ _tag: "Join", boundaries: [5, 3], schedules: [one, one, one] }),
      `Expected boundaries[1] of join to be at least 5, found 3\n  at ["boundaries"][1]`
    )
  })

  it("decoding an unknown tag lists the known ones", () => {
    assert.strictEqual(
      failure({ _tag: "CosineDecay" }),
      "Expected a schedule, an object whose _tag is one of Constant, ExponentialDecay, InverseTimeDecay, " +
        "PolynomialDecay, PiecewiseConstant, Join, Scale, Clamp"
    )
  })
})
