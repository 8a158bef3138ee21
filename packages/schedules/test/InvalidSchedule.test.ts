import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"

const caught = (make: () => unknown): Schedules.InvalidSchedule => {
  try {
    make()
  } catch (error) {
    assert.instanceOf(error, Schedules.InvalidSchedule)
    return error
  }
  return assert.fail("nothing was refused")
}

const decay = { stepSize: 0.1, decaySteps: 3, decayRate: 2 }
const polynomial = { stepSize: 1, decaySteps: 50, finalStepSize: 0.1 }
const number = "a finite number"
const positive = "a finite number > 0"
const nonNegative = "a finite number >= 0"

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
    () => Schedules.piecewiseConstant({ boundaries: 5 as never, values: [1, 0] }),
    "boundaries",
    5,
    "an array"
  ],
  ["scale", () => Schedules.scale(0.1, Number.NaN), "factor", Number.NaN, number],
  ["clamp", () => Schedules.clamp(0.1, { minimum: 1, maximum: 0 }), "maximum", 0, "at least the minimum, 1"],
  ["clamp", () => Schedules.clamp(0.1, { minimum: Number.NaN }), "minimum", Number.NaN, "a finite number or nothing"],
  ["clamp", () => Schedules.clamp(0.1, {} as never), "minimum", undefined, "a minimum, a maximum or both"],
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
    it(`${schedule} refuses ${JSON.stringify(value)} as ${field}, expecting ${expected}`, () => {
      const error = caught(make)
      assert.deepStrictEqual(
        { schedule: error.schedule, field: error.field, value: error.value, expected: error.expected },
        { schedule, field, value, expected }
      )
    })
  }

  it("the message says who refused what, what is allowed, and what to do", () => {
    assert.strictEqual(
      caught(() => Schedules.exponentialDecay({ ...decay, decaySteps: 0 })).message,
      [
        "exponentialDecay got a value that it cannot use",
        "  decaySteps   expected a finite number > 0   found 0",
        "Pass a value that is allowed; a schedule repairs nothing."
      ].join("\n")
    )
  })

  it("the message shows any value in a few words", () => {
    const found = (value: unknown) =>
      caught(() => Schedules.constant(value as never)).message.match(/found (?<found>.*)/)?.groups?.["found"]
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
