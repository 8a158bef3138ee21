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

const decoded = (json: unknown): Schedules.Schedule => Result.getOrThrow(decode(JSON.stringify(json)))

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
      failure({ _tag: "PolynomialDecay", stepSize: "0.1", finalStepSize: 0 }),
      [
        'Expected stepSize of polynomialDecay to be a finite number, found "0.1"',
        `  at ["stepSize"]`,
        "Expected decaySteps of polynomialDecay to be a finite number > 0, found nothing",
        `  at ["decaySteps"]`
      ].join("\n")
    )
  })

  it("what has a default may be left out, also inside another schedule", () => {
    const schedule = Schedules.warmupCosineDecaySchedule({
      initValue: 0,
      peakValue: 1,
      warmupSteps: 10,
      decaySteps: 100
    })
    const { endValue: _end, exponent: _exponent, ...short } = schedule
    const { _tag: _, ...cycle } = schedule
    const { _tag: __, ...shortCycle } = short
    assert.deepStrictEqual(decoded(short), schedule)
    assert.deepStrictEqual(
      decoded({ _tag: "Clamp", minimum: 0, schedule: { _tag: "Join", boundaries: [], schedules: [short] } }),
      Schedules.clamp(Schedules.join({ schedules: [schedule], boundaries: [] }), { minimum: 0 })
    )
    assert.deepStrictEqual(decoded({ _tag: "SgdrSchedule", cycles: [shortCycle] }), {
      _tag: "SgdrSchedule",
      cycles: [cycle]
    })
  })

  it("an unknown field is named before all others, with the list of the known ones", () => {
    const misspelt = { _tag: "ExponentialDecay", stepSize: 0.1, decaySteps: 10, decay_rate: 0.5 }
    const message = [
      "Expected decay_rate of exponentialDecay to be absent (the fields are stepSize, decaySteps, decayRate, " +
        "transitionBegin, staircase, endValue), found 0.5",
      `  at ["decay_rate"]`
    ]
    const missing = [
      "Expected decayRate of exponentialDecay to be a finite number >= 0, found nothing",
      `  at ["decayRate"]`
    ]
    assert.strictEqual(failure(misspelt), [...message, ...missing].join("\n"))
    const first = Schema.decodeUnknownResult(Schedules.Schedule)(misspelt)
    assert.strictEqual(Result.isFailure(first) && first.failure.message, message.join("\n"))
  })

  it("an unknown field deep inside is named by its path", () => {
    const scaled = { _tag: "Scale", factor: 2, schedule: { _tag: "Constant", stepSize: 1, unit: "s" } }
    assert.strictEqual(
      failure({ _tag: "Join", boundaries: [], schedules: [scaled] }),
      [
        'Expected unit of constant to be absent (the fields are stepSize), found "s"',
        `  at ["schedules"][0]["schedule"]["unit"]`
      ].join("\n")
    )
    const cycle = { initValue: 0, peakValue: 1, warmupSteps: 0, decaySteps: 5, minimum: 0 }
    assert.strictEqual(
      failure({ _tag: "SgdrSchedule", cycles: [cycle] }),
      [
        "Expected cycles[0].minimum of sgdrSchedule to be absent (the fields are initValue, peakValue, warmupSteps, " +
          "decaySteps, endValue, exponent), found 0",
        `  at ["cycles"][0]["minimum"]`
      ].join("\n")
    )
  })

  it("a field called __proto__ is an unknown field and changes no prototype", () => {
    const result = decode('{"_tag":"Constant","stepSize":1,"__proto__":{"decayRate":1}}')
    assert.strictEqual(
      Result.isFailure(result) && result.failure.message,
      'Expected __proto__ of constant to be absent (the fields are stepSize), found an object\n  at ["__proto__"]'
    )
  })

  it("encoding refuses what decoding refuses", () => {
    const result = Schema.encodeUnknownResult(Schedules.Schedule)({ _tag: "Constant", stepSize: Number.NaN })
    assert.strictEqual(
      Result.isFailure(result) && result.failure.message,
      'Expected stepSize of constant to be a finite number, found NaN\n  at ["stepSize"]'
    )
  })

  for (const [open, close] of [
    ['{"_tag":"Scale","factor":1,"schedule":', "}"],
    ['{"_tag":"Join","boundaries":[],"schedules":[', "]}"]
  ] as const) {
    const nested = (levels: number) =>
      `${open.repeat(levels - 1)}{"_tag":"Constant","stepSize":1}${close.repeat(levels - 1)}`

    it(`schedules inside one another are read on 100 levels, and refused on more: ${open}`, () => {
      assert.isTrue(Result.isSuccess(decode(nested(100))))
      for (const levels of [101, 100_000]) {
        const result = decode(nested(levels))
        assert.strictEqual(
          Result.isFailure(result) && result.failure.message,
          "Expected a schedule with at most 100 levels of schedules inside one another"
        )
      }
    })
  }

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

  const tags =
    "one of Constant, ExponentialDecay, InverseTimeDecay, PolynomialDecay, PolynomialSchedule, LinearSchedule, " +
    "CosineDecaySchedule, PiecewiseConstant, PiecewiseConstantSchedule, PiecewiseInterpolateSchedule, " +
    "LinearOnecycleSchedule, CosineOnecycleSchedule, WarmupConstantSchedule, WarmupCosineDecaySchedule, " +
    "WarmupExponentialDecaySchedule, SgdrSchedule, Join, Scale, Clamp"

  it("decoding an unknown tag lists the known ones", () => {
    assert.strictEqual(
      failure({ _tag: "CosineDecay" }),
      `Expected _tag to be ${tags}, found "CosineDecay"\n  at ["_tag"]`
    )
  })

  it("decoding what is no schedule says so", () => {
    assert.strictEqual(failure(0.1), `Expected a schedule, an object whose _tag is ${tags}`)
    assert.strictEqual(
      failure({ _tag: "Scale", factor: 1, schedule: 0.1 }),
      `Expected schedule of scale to be a schedule, an object whose _tag is ${tags}, found 0.1\n  at ["schedule"]`
    )
  })

  it("the JSON Schema of a schedule has its fields, their ranges, and itself inside", () => {
    const { definitions, schema } = Schema.toJsonSchemaDocument(Schedules.Schedule)
    assert.deepStrictEqual(schema, { $ref: "#/$defs/Schedule" })
    const alternatives = (definitions["Schedule"]?.["anyOf"] ?? []) as ReadonlyArray<{ readonly properties: object }>
    assert.lengthOf(alternatives, 19)
    const of = (tag: string) =>
      alternatives.find(({ properties }) => JSON.stringify(properties).startsWith(`{"_tag":{"enum":["${tag}"]}`))
    assert.deepStrictEqual<object | undefined>(of("InverseTimeDecay"), {
      type: "object",
      properties: {
        _tag: { enum: ["InverseTimeDecay"] },
        stepSize: { type: "number" },
        decaySteps: { type: "number", exclusiveMinimum: 0 },
        decayRate: { type: "number", minimum: 0 },
        staircase: { type: "boolean" }
      },
      required: ["_tag", "stepSize", "decaySteps", "decayRate"],
      additionalProperties: false
    })
    assert.deepStrictEqual<object | undefined>(of("Join"), {
      type: "object",
      properties: {
        _tag: { enum: ["Join"] },
        boundaries: { type: "array", items: { type: "integer", minimum: 0 } },
        schedules: { type: "array", items: { $ref: "#/$defs/Schedule" } }
      },
      required: ["_tag", "boundaries", "schedules"],
      additionalProperties: false
    })
  })
})
