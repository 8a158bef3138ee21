import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import { names, schedule } from "../stepSize.ts"

const decay = Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 1000, decayRate: 0.5 })

const wrong = [
  [
    "cosine",
    "expected one of constant, exponentialDecay, inverseTimeDecay, polynomialDecay, piecewiseConstant, cosineDecaySchedule, or a schedule as JSON"
  ],
  ["toString", `expected one of ${names.join(", ")}, or a schedule as JSON`],
  ["exponentialDecay:decaySteps", "expected field=value, found decaySteps"],
  ["exponentialDecay:decaySteps=soon", "expected decaySteps to be a number or a list, found soon"],
  [
    "exponentialDecay:decaySteps=0",
    'Expected decaySteps of exponentialDecay to be a finite number > 0, found 0 at ["decaySteps"]'
  ],
  [
    "exponentialDecay:decayStep=5",
    'Expected decayStep of exponentialDecay to be absent (the fields are stepSize, decaySteps, decayRate, transitionBegin, staircase, endValue), found 5 at ["decayStep"]'
  ],
  [
    "exponentialDecay:stepSize=null",
    'Expected stepSize of exponentialDecay to be a finite number, found null at ["stepSize"]'
  ],
  [
    "piecewiseConstant:values=[1]",
    'Expected values of piecewiseConstant to be an array of 3, one more than boundaries, found an array of 1 at ["values"]'
  ],
  ["{", "expected JSON"],
  [
    '{"_tag":"Constant","stepSize":"0.1"}',
    'Expected stepSize of constant to be a finite number, found "0.1" at ["stepSize"]'
  ]
] as const

describe("stepSize", () => {
  describe("laws", () => {
    it.effect.each(names)("%s begins with the step size", (name) =>
      Effect.gen(function* () {
        assert.strictEqual(Schedules.at(yield* schedule(name, 0.25), 0), 0.25)
      })
    )
  })

  describe("cases", () => {
    it.effect("a name alone has its defaults", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* schedule("exponentialDecay", 0.1), decay)
      })
    )
    it.effect("a field that is given takes the place of its default", () =>
      Effect.gen(function* () {
        const found = yield* schedule("inverseTimeDecay:decaySteps=5,staircase=true", 0.1)
        const expected = Schedules.inverseTimeDecay({ stepSize: 0.1, decaySteps: 5, decayRate: 1, staircase: true })
        assert.deepStrictEqual(found, expected)
      })
    )
    it.effect("lists stand in brackets", () =>
      Effect.gen(function* () {
        const found = yield* schedule("piecewiseConstant:boundaries=[10,20],values=[3,2,1]", 0.1)
        assert.deepStrictEqual(found, Schedules.piecewiseConstant({ boundaries: [10, 20], values: [3, 2, 1] }))
      })
    )
    it.effect("JSON says any schedule in full", () =>
      Effect.gen(function* () {
        const clamped = Schedules.clamp(decay, { minimum: 0.01 })
        assert.deepStrictEqual(yield* schedule(JSON.stringify(clamped), 5), clamped)
      })
    )
    it.effect("what has a default may be left out of the JSON", () =>
      Effect.gen(function* () {
        const options = { initValue: 0, peakValue: 0.01, warmupSteps: 100, decaySteps: 3000 }
        const text = JSON.stringify({ _tag: "WarmupCosineDecaySchedule", ...options })
        assert.deepStrictEqual(yield* schedule(text, 5), Schedules.warmupCosineDecaySchedule(options))
      })
    )
    it.effect.each(wrong)("%s is refused in one line", ([text, reason]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(schedule(text, 0.1))
        assert.strictEqual(error.message, `--schedule ${text}: ${reason}`)
      })
    )
  })
})
