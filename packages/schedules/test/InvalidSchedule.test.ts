import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import { refusal } from "./caught.ts"

const decay = { stepSize: 0.1, decaySteps: 3, decayRate: 2 }
const transition = { initValue: 1, endValue: 0, transitionSteps: 10 }
const cycle = { initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 6 }
const polynomial = { stepSize: 1, decaySteps: 50, finalStepSize: 0.1 }
const number = "a finite number"
const positive = "a finite number > 0"
const nonNegative = "a finite number >= 0"

/** As deep as a schedule may be, so that nothing can be made of it. */
const deep = Array.from({ length: 99 }).reduce<Schedules.Schedule>(
  (schedule) => ({ _tag: "Scale", factor: 1, schedule }),
  Schedules.constant(1)
)

/** Each row: who refuses, the call, the field, the value found there, and what is allowed. */
const refusals: ReadonlyArray<readonly [string, () => unknown, string, unknown, string]> = [
  ["constant", () => Schedules.constant(Number.NaN), "stepSize", Number.NaN, number],
  [
    "exponentialDecay",
    () => Schedules.exponentialDecay({ ...decay, stepSize: Infinity }),
    "stepSize",
    Infinity,
    number
  ],
  ["exponentialDecay", () => Schedules.exponentialDecay({ ...decay, decaySteps: 0 }), "decaySteps", 0, positive],
  ["exponentialDecay", () => Schedules.exponentialDecay({ ...decay, decaySteps: -3 }), "decaySteps", -3, positive],
  ["exponentialDecay", () => Schedules.exponentialDecay({ ...decay, decayRate: -1 }), "decayRate", -1, nonNegative],
  ["inverseTimeDecay", () => Schedules.inverseTimeDecay({ ...decay, decaySteps: 0 }), "decaySteps", 0, positive],
  ["inverseTimeDecay", () => Schedules.inverseTimeDecay({ ...decay, decayRate: -1 }), "decayRate", -1, nonNegative],
  [
    "inverseTimeDecay",
    () => Schedules.inverseTimeDecay({ ...decay, staircase: 1 as never }),
    "staircase",
    1,
    "true or false"
  ],
  ["polynomialDecay", () => Schedules.polynomialDecay({ ...polynomial, decaySteps: 0 }), "decaySteps", 0, positive],
  [
    "polynomialDecay",
    () => Schedules.polynomialDecay({ ...polynomial, finalStepSize: Number.NaN }),
    "finalStepSize",
    Number.NaN,
    number
  ],
  ["polynomialDecay", () => Schedules.polynomialDecay({ ...polynomial, power: -1 }), "power", -1, nonNegative],
  [
    "piecewiseConstant",
    () => Schedules.piecewiseConstant({ boundaries: [1, 2], values: [1, 0] }),
    "values",
    [1, 0],
    "an array of 3, one more than boundaries"
  ],
  [
    "piecewiseConstant",
    () => Schedules.piecewiseConstant({ boundaries: [1, Number.NaN], values: [1, 0, 0] }),
    "boundaries[1]",
    Number.NaN,
    number
  ],
  [
    "piecewiseConstant",
    () => Schedules.piecewiseConstant({ boundaries: new Array<number>(1), values: [1, 0] }),
    "boundaries[0]",
    undefined,
    number
  ],
  [
    "piecewiseConstant",
    () => Schedules.piecewiseConstant({ boundaries: 5 as never, values: [1, 0] }),
    "boundaries",
    5,
    "an array"
  ],
  [
    "exponentialDecay",
    () => Schedules.exponentialDecay({ ...decay, transitionBegin: -1 }),
    "transitionBegin",
    -1,
    nonNegative
  ],
  [
    "exponentialDecay",
    () => Schedules.exponentialDecay({ ...decay, endValue: Number.NaN }),
    "endValue",
    Number.NaN,
    "a finite number or nothing"
  ],
  [
    "exponentialDecay",
    () => Schedules.exponentialDecay({ ...decay, stairs: true } as typeof decay),
    "stairs",
    true,
    "absent (the fields are stepSize, decaySteps, decayRate, transitionBegin, staircase, endValue)"
  ],
  ["polynomialSchedule", () => Schedules.polynomialSchedule({ ...transition, power: -1 }), "power", -1, nonNegative],
  [
    "linearSchedule",
    () => Schedules.linearSchedule({ ...transition, transitionSteps: 0 }),
    "transitionSteps",
    0,
    positive
  ],
  [
    "linearSchedule",
    () => Schedules.linearSchedule({ ...transition, transitionBegin: -5 }),
    "transitionBegin",
    -5,
    nonNegative
  ],
  [
    "cosineDecaySchedule",
    () => Schedules.cosineDecaySchedule({ initValue: 1, decaySteps: 0 }),
    "decaySteps",
    0,
    positive
  ],
  [
    "piecewiseConstantSchedule",
    () => Schedules.piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: { 10: -0.5 } }),
    "boundariesAndScales.10",
    -0.5,
    nonNegative
  ],
  [
    "piecewiseConstantSchedule",
    () => Schedules.piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: { [-1]: 0.5 } }),
    "boundariesAndScales.-1",
    0.5,
    "under a key that is a step, a non-negative integer"
  ],
  [
    "piecewiseInterpolateSchedule",
    () => Schedules.piecewiseInterpolateSchedule({ interpolateType: "cubic" as never, initValue: 1 }),
    "interpolateType",
    "cubic",
    '"linear" or "cosine"'
  ],
  [
    "piecewiseInterpolateSchedule",
    () =>
      Schedules.piecewiseInterpolateSchedule({
        interpolateType: "linear",
        initValue: 1,
        boundariesAndScales: [0.5] as never
      }),
    "boundariesAndScales",
    [0.5],
    "an object with a value for each of some steps"
  ],
  [
    "linearOnecycleSchedule",
    () => Schedules.linearOnecycleSchedule({ transitionSteps: 2.5, peakValue: 1 }),
    "transitionSteps",
    2.5,
    "a positive integer"
  ],
  [
    "linearOnecycleSchedule",
    () => Schedules.linearOnecycleSchedule({ transitionSteps: 10, peakValue: 1, pctFinal: 1 }),
    "pctFinal",
    1,
    "a number >= 0 and < 1"
  ],
  [
    "linearOnecycleSchedule",
    () => Schedules.linearOnecycleSchedule({ transitionSteps: 10, peakValue: 1, pctStart: 0.5, pctFinal: 0.55 }),
    "pctFinal",
    0.55,
    "large enough for ⌊pctFinal · 10⌋ to lie after the step of the peak, 5"
  ],
  [
    "cosineOnecycleSchedule",
    () => Schedules.cosineOnecycleSchedule({ transitionSteps: 10, peakValue: 1, divFactor: 0 }),
    "divFactor",
    0,
    positive
  ],
  [
    "warmupConstantSchedule",
    () => Schedules.warmupConstantSchedule({ initValue: 0, peakValue: 1, warmupSteps: -1 }),
    "warmupSteps",
    -1,
    nonNegative
  ],
  [
    "warmupCosineDecaySchedule",
    () => Schedules.warmupCosineDecaySchedule({ ...cycle, warmupSteps: 6 }),
    "decaySteps",
    6,
    "more than warmupSteps, 6"
  ],
  [
    "warmupCosineDecaySchedule",
    () => Schedules.warmupCosineDecaySchedule({ ...cycle, peakValue: 5e-324, endValue: 1 }),
    "endValue",
    1,
    "a finite multiple of peakValue, 5e-324"
  ],
  [
    "warmupExponentialDecaySchedule",
    () => Schedules.warmupExponentialDecaySchedule({ ...cycle, transitionSteps: 0, decayRate: 0.5 }),
    "decaySteps",
    6,
    "absent (the fields are initValue, peakValue, warmupSteps, transitionSteps, decayRate, transitionBegin, staircase, endValue)"
  ],
  ["sgdrSchedule", () => Schedules.sgdrSchedule({ cycles: [] }), "cycles", [], "at least one cycle"],
  [
    "sgdrSchedule",
    () => Schedules.sgdrSchedule({ cycles: [cycle, { ...cycle, exponent: -1 }] }),
    "cycles[1].exponent",
    -1,
    nonNegative
  ],
  ["sgdrSchedule", () => Schedules.sgdrSchedule({ cycles: [cycle, 5 as never] }), "cycles[1]", 5, "an object"],
  ["scale", () => Schedules.scale(0.1, Number.NaN), "factor", Number.NaN, number],
  ["clamp", () => Schedules.clamp(0.1, { minimum: 1, maximum: 0 }), "maximum", 0, "at least the minimum, 1"],
  ["clamp", () => Schedules.clamp(0.1, { minimum: Number.NaN }), "minimum", Number.NaN, "a finite number or nothing"],
  ["clamp", () => Schedules.clamp(0.1, {} as never), "minimum", undefined, "a minimum, a maximum or both"],
  [
    "clamp",
    () => Schedules.clamp(0.1, { minimum: 0, maximal: 1 } as { minimum: number }),
    "maximal",
    1,
    "absent (the fields are minimum, maximum)"
  ],
  [
    "scale",
    () => Schedules.scale(deep, 1),
    "schedule",
    deep,
    "a schedule with at most 99 levels of schedules inside one another"
  ],
  [
    "make",
    () => Schedules.make({ _tag: "Scale", factor: 1, schedule: deep }),
    "stepSize",
    { _tag: "Scale", factor: 1, schedule: deep },
    "a schedule with at most 100 levels of schedules inside one another"
  ],
  [
    "join",
    () => Schedules.join({ schedules: [0.1], boundaries: [3] }),
    "schedules",
    [0.1],
    "an array of 2, one more than boundaries"
  ],
  ["join", () => Schedules.join({ schedules: [0.1, 0.1, 0.1], boundaries: [3, 2] }), "boundaries[1]", 2, "at least 3"],
  [
    "join",
    () => Schedules.join({ schedules: [0.1, 0.1], boundaries: [1.5] }),
    "boundaries[0]",
    1.5,
    "a non-negative integer"
  ],
  [
    "join",
    () =>
      Schedules.join({ schedules: [0.1, { ...Schedules.exponentialDecay(decay), decaySteps: 0 }], boundaries: [3] }),
    "schedules[1].decaySteps",
    0,
    positive
  ],
  [
    "make",
    () => Schedules.make({ _tag: "Scale", factor: 1, schedule: { _tag: "Constant", stepSize: Infinity } }),
    "stepSize.schedule.stepSize",
    Infinity,
    number
  ],
  [
    "make",
    () => Schedules.make("0.1" as never),
    "stepSize",
    "0.1",
    "a finite number, a schedule or a function of the step"
  ],
  [
    "make",
    () => Schedules.make(Number.NaN),
    "stepSize",
    Number.NaN,
    "a finite number, a schedule or a function of the step"
  ],
  [
    "map",
    () => Schedules.map([0.1] as never, (stepSize) => stepSize),
    "schedule",
    [0.1],
    "a finite number, a schedule or a function of the step"
  ],
  [
    "at",
    () => Schedules.at({ _tag: "CosineDecay" } as never, 0),
    "schedule",
    { _tag: "CosineDecay" },
    "a finite number, a schedule or a function of the step"
  ]
]

describe("cases", () => {
  for (const [schedule, make, field, value, expected] of refusals) {
    it(`${schedule} refuses ${JSON.stringify({ value }).slice(0, 40)} as ${field}, expecting ${expected}`, () => {
      const error = refusal(make)
      assert.deepStrictEqual(
        { schedule: error.schedule, field: error.field, value: error.value, expected: error.expected },
        { schedule, field, value, expected }
      )
    })
  }

  it("the message says who refused what, what is allowed, and what to do", () => {
    assert.strictEqual(
      refusal(() => Schedules.exponentialDecay({ ...decay, decaySteps: 0 })).message,
      [
        "exponentialDecay got a value that it cannot use",
        "  decaySteps   expected a finite number > 0   found 0",
        "Pass a value that is allowed; a schedule repairs nothing."
      ].join("\n")
    )
  })

  it("the message shows any value in a few words", () => {
    const found = (value: unknown) =>
      refusal(() => Schedules.constant(value as never)).message.match(/found (?<found>.*)/)?.groups?.["found"]
    const values = [undefined, null, "x", [1, 2], {}, () => 1, 1n, true]
    assert.deepStrictEqual(values.map(found), [
      "nothing",
      "null",
      '"x"',
      "an array of 2",
      "an object",
      "a function",
      "1",
      "true"
    ])
  })
})
