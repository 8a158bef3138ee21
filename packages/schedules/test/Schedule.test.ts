import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Arr from "effect/Array"
import { pipe } from "effect/Function"
import * as fc from "fast-check"
import { bounds, finite, joined, runs, schedule, step } from "./arbitraries.ts"
import * as Golden from "./golden.ts"

const { at } = Schedules

const values = (stepSize: Schedules.StepSize, steps: ReadonlyArray<number>): Array<number> =>
  steps.map((step) => at(stepSize, step))

describe("laws", () => {
  it("make and at agree, and every constructed schedule is sound", () => {
    const law = fc.property(schedule, step, (schedule, step) => {
      assert.isTrue(Schedules.isSchedule(schedule))
      assert.deepStrictEqual(Schedules.make(schedule)(step), at(schedule, step))
      assert.deepStrictEqual(pipe(schedule, at(step)), at(schedule, step))
    })
    fc.assert(law, runs)
  })

  it("a number is the constant schedule, a function is itself", () => {
    const law = fc.property(finite, step, (stepSize, step) => {
      assert.strictEqual(at(stepSize, step), stepSize)
      assert.strictEqual(Schedules.make(stepSize)(step), at(Schedules.constant(stepSize), step))
      assert.strictEqual(
        at((t) => t * stepSize, step),
        step * stepSize
      )
    })
    fc.assert(law, runs)
  })

  it("scale multiplies every value", () => {
    const law = fc.property(schedule, finite, step, (schedule, factor, step) => {
      assert.deepStrictEqual(at(Schedules.scale(schedule, factor), step), at(schedule, step) * factor)
    })
    fc.assert(law, runs)
  })

  it("clamp leaves what is between its bounds and returns the bound otherwise", () => {
    const law = fc.property(schedule, bounds, step, (schedule, between, step) => {
      const value = at(schedule, step)
      const { maximum: high = Infinity, minimum: low = -Infinity } = between
      const clamped = at(Schedules.clamp(schedule, between), step)
      assert.deepStrictEqual(clamped, value < low ? low : value > high ? high : value) // NaN included
    })
    fc.assert(law, runs)
  })

  it("join restarts each schedule at its boundary", () => {
    const law = fc.property(joined, step, (join, step) => {
      const [start, current] =
        Arr.zip([0, ...join.boundaries], join.schedules).findLast(([start]) => start <= step) ??
        assert.fail("no schedule holds")
      assert.deepStrictEqual(at(join, step), at(current, step - start))
    })
    fc.assert(law, runs)
  })

  it("map passes value and step through the function, and composes", () => {
    const f = (stepSize: number, step: number) => stepSize / (step + 1)
    const g = (stepSize: number, step: number) => stepSize + step
    const law = fc.property(schedule, step, (schedule, step) => {
      const twice = pipe(schedule, Schedules.map(f), Schedules.map(g))
      assert.deepStrictEqual(twice(step), g(f(at(schedule, step), step), step))
      assert.deepStrictEqual(Schedules.map(schedule, (stepSize) => stepSize)(step), at(schedule, step))
    })
    fc.assert(law, runs)
  })

  it("combinators mean the same on a schedule and on its function", () => {
    const law = fc.property(schedule, schedule, step, bounds, (first, second, step, bounds) => {
      const [f, g] = [Schedules.make(first), Schedules.make(second)]
      const both = (a: Schedules.StepSize, b: Schedules.StepSize) =>
        [Schedules.scale(a, 3), Schedules.clamp(a, bounds), Schedules.join({ schedules: [a, b], boundaries: [7] })].map(
          (combined) => at(combined, step)
        )
      assert.deepStrictEqual(both(f, g), both(first, second))
    })
    fc.assert(law, runs)
  })
})

describe("cases", () => {
  it("combinators of data and numbers are data, with a function they are functions", () => {
    const half = (step: number) => 0.5 ** step
    assert.deepStrictEqual(Schedules.scale(0.1, 2), {
      _tag: "Scale",
      factor: 2,
      schedule: { _tag: "Constant", stepSize: 0.1 }
    })
    assert.isFunction(Schedules.scale(half, 2))
    assert.isFunction(Schedules.clamp(half, { minimum: 0.1 }))
    assert.isFunction(Schedules.join({ schedules: [0.1, half], boundaries: [5] }))
    assert.deepStrictEqual(
      values(Schedules.join({ schedules: [0.1, half], boundaries: [2] }), [0, 1, 2, 3]),
      [0.1, 0.1, 1, 0.5]
    )
  })

  it("combinators are pipeable", () => {
    const piped = pipe(Schedules.constant(3), Schedules.scale(2), Schedules.clamp({ maximum: 5 }))
    assert.deepStrictEqual(piped, Schedules.clamp(Schedules.scale(Schedules.constant(3), 2), { maximum: 5 }))
    assert.strictEqual(at(piped, 0), 5)
  })

  it("constructors fill in the defaults", () => {
    const decay = { stepSize: 1, decaySteps: 2, decayRate: 3 }
    assert.deepStrictEqual(Schedules.inverseTimeDecay(decay), {
      _tag: "InverseTimeDecay",
      ...decay,
      staircase: false
    })
    const polynomial = { stepSize: 1, decaySteps: 2, finalStepSize: 0 }
    assert.deepStrictEqual(Schedules.polynomialDecay(polynomial), { _tag: "PolynomialDecay", ...polynomial, power: 1 })
  })

  it("constructors fill in a default for an option that is undefined", () => {
    const options = { stepSize: 1, decaySteps: 2, decayRate: 0.5, staircase: undefined, endValue: undefined }
    const plain = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 2, decayRate: 0.5 })
    assert.deepStrictEqual(Schedules.exponentialDecay(options), plain)
    assert.deepStrictEqual(
      { ...plain },
      {
        _tag: "ExponentialDecay",
        stepSize: 1,
        decaySteps: 2,
        decayRate: 0.5,
        transitionBegin: 0,
        staircase: false,
        endValue: null
      }
    )
  })

  it("sgdrSchedule fills in the defaults of each cycle", () => {
    const cycle = { initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 6 }
    assert.deepStrictEqual(Schedules.sgdrSchedule({ cycles: [cycle, { ...cycle, endValue: 0.5 }] }).cycles, [
      { ...cycle, endValue: 0, exponent: 1 },
      { ...cycle, endValue: 0.5, exponent: 1 }
    ])
  })

  it("exponentialDecay stays until its decay begins, and stops at its end value from either side", () => {
    const options = { stepSize: 1, decaySteps: 1, transitionBegin: 2 }
    const falling = Schedules.exponentialDecay({ ...options, decayRate: 0.5, endValue: 0.2 })
    const rising = Schedules.exponentialDecay({ ...options, decayRate: 2, endValue: 5 })
    assert.deepStrictEqual(values(falling, [0, 2, 3, 4, 5, 99]), [1, 1, 0.5, 0.25, 0.2, 0.2])
    assert.deepStrictEqual(values(rising, [0, 2, 3, 4, 5, 99]), [1, 1, 2, 4, 5, 5])
  })

  it("a decay rate of 0 leaves the first value and nothing after it", () => {
    const schedule = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 3, decayRate: 0, transitionBegin: 2 })
    assert.deepStrictEqual(values(schedule, [0, 2, 3, 4]), [1, 1, 0, 0])
  })

  it("a warm-up of no steps begins at the peak", () => {
    const warmup = { initValue: 0, peakValue: 8, warmupSteps: 0 }
    const schedules = [
      Schedules.warmupConstantSchedule(warmup),
      Schedules.warmupCosineDecaySchedule({ ...warmup, decaySteps: 10 }),
      Schedules.warmupExponentialDecaySchedule({ ...warmup, transitionSteps: 10, decayRate: 0.5 })
    ]
    assert.deepStrictEqual(
      schedules.map((schedule) => at(schedule, 0)),
      [8, 8, 8]
    )
  })

  it("warmupCosineDecaySchedule with a peak of 0 is 0 after its warm-up, whatever its end value", () => {
    const schedule = Schedules.warmupCosineDecaySchedule({
      initValue: 1,
      peakValue: 0,
      warmupSteps: 2,
      decaySteps: 6,
      endValue: 0.5
    })
    assert.deepStrictEqual(values(schedule, [0, 1, 2, 4, 6, 99]), [1, 0.5, 0, 0, 0, 0])
  })

  it("piecewise schedules of Optax change at the boundary, in the order of the steps", () => {
    const boundariesAndScales = { 4: 0.5, 0: 2, 2: 3 }
    const constant = Schedules.piecewiseConstantSchedule({ initValue: 1, boundariesAndScales })
    assert.deepStrictEqual(values(constant, [0, 1, 2, 3, 4, 99]), [2, 2, 6, 6, 3, 3])
    const linear = Schedules.piecewiseInterpolateSchedule({
      interpolateType: "linear",
      initValue: 1,
      boundariesAndScales
    })
    assert.deepStrictEqual(values(linear, [0, 1, 2, 3, 4, 99]), [2, 4, 6, 4.5, 3, 3])
  })

  it("a cycle that peaks at once begins at its peak", () => {
    const options = { transitionSteps: 4, peakValue: 8, pctStart: 0, divFactor: 4, finalDivFactor: 2 }
    assert.deepStrictEqual(
      values(Schedules.linearOnecycleSchedule({ ...options, pctFinal: 0.5 }), [0, 1, 2, 3, 4]),
      [8, 5, 2, 1.5, 1]
    )
    assert.strictEqual(at(Schedules.cosineOnecycleSchedule(options), 0), 8)
  })

  it("piecewiseConstant switches after its boundary, join at it", () => {
    const steps = [0, 1, 2, 3, 4]
    const piecewise = Schedules.piecewiseConstant({ boundaries: [2], values: [1, 0] })
    assert.deepStrictEqual(values(piecewise, steps), [1, 1, 1, 0, 0])
    assert.deepStrictEqual(values(Schedules.join({ schedules: [1, 0], boundaries: [2] }), steps), [1, 1, 0, 0, 0])
  })

  it("piecewiseConstant counts its boundaries, in whatever order", () => {
    const schedule = Schedules.piecewiseConstant({ boundaries: [75, 25], values: [1, 0.5, 0.1] })
    assert.deepStrictEqual(values(schedule, [25, 26, 75, 76]), [1, 0.5, 0.5, 0.1])
  })

  it("join skips a schedule between equal boundaries, and one that ends at step 0", () => {
    assert.deepStrictEqual(values(Schedules.join({ schedules: [1, 2, 3], boundaries: [2, 2] }), [1, 2, 3]), [1, 3, 3])
    assert.deepStrictEqual(values(Schedules.join({ schedules: [1, 2], boundaries: [0] }), [0, 1]), [2, 2])
  })

  it("polynomialDecay is clamped above only", () => {
    const schedule = Schedules.polynomialDecay({ stepSize: 1, decaySteps: 10, finalStepSize: 0 })
    assert.deepStrictEqual(values(schedule, [-10, 0, 10, 1000]), [2, 1, 0, 0])
  })

  it("later changes to what a constructor was given change nothing", () => {
    const boundaries = [1]
    const levels = [1, 0]
    const scales = { 1: 0.5 }
    const cycles = [{ initValue: 0, peakValue: 1, warmupSteps: 0, decaySteps: 6 }]
    const factors = Schedules.piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: scales })
    const restarts = Schedules.sgdrSchedule({ cycles })
    const piecewise = Schedules.piecewiseConstant({ boundaries, values: levels })
    const joined = Schedules.join({ schedules: levels, boundaries })
    boundaries[0] = 100
    levels[1] = 100
    scales[1] = 100
    cycles[0] = { initValue: 0, peakValue: 100, warmupSteps: 0, decaySteps: 6 }
    assert.deepStrictEqual([at(piecewise, 5), at(joined, 5)], [0, 0])
    assert.deepStrictEqual([at(factors, 5), at(restarts, 0)], [0.5, 1])
  })

  it("schedules lie inside one another on 100 levels, and on no more", () => {
    const nested = (levels: number): Schedules.Schedule =>
      levels === 1 ? Schedules.constant(1) : { _tag: "Scale", factor: 1, schedule: nested(levels - 1) }
    const cyclic: { _tag: "Join"; boundaries: Array<number>; schedules: Array<Schedules.Schedule> } = {
      _tag: "Join",
      boundaries: [],
      schedules: []
    }
    cyclic.schedules.push(cyclic)
    assert.deepStrictEqual([nested(100), nested(101), cyclic].map(Schedules.isSchedule), [true, false, false])
    assert.strictEqual(Schedules.make(nested(100))(0), 1)
    assert.isTrue(Schedules.isSchedule(Schedules.scale(nested(99), 1)))
  })

  it("isSchedule refuses what only looks like one", () => {
    const impostors = [null, 0.1, "Constant", () => 0.1, {}, { _tag: "toString" }, { _tag: "Constant" }, []]
    assert.isFalse(Schedules.isSchedule({ ...Schedules.constant(1), decayRate: 1 }))
    for (const impostor of impostors) assert.isFalse(Schedules.isSchedule(impostor))
  })
})

describe("numbers", () => {
  for (const record of Golden.read("jax-schedules.json")) {
    it(`the reference's ${record.id}`, () => {
      Golden.assertClose(Golden.scheduleOf(record), record)
    })
  }

  // printed by the reference in float32, to the digits shown
  const edges = [0, 1, 2, 3, 4, 6, 25, 26, 50, 75, 76, 100]
  const inverse = { stepSize: 0.1, decaySteps: 3, decayRate: 2 }
  const polynomial = { stepSize: 1, decaySteps: 50, finalStepSize: 0.1 }
  const rows: ReadonlyArray<readonly [string, Schedules.Schedule, ReadonlyArray<number>]> = [
    [
      "exponentialDecay",
      Schedules.exponentialDecay(inverse),
      [
        0.1, 0.125992105, 0.158740105, 0.2, 0.25198421, 0.4, 32.253979, 40.637467, 10403.1915, 3355443.2, 4227593.52,
        1.08226394e9
      ]
    ],
    [
      "inverseTimeDecay",
      Schedules.inverseTimeDecay(inverse),
      [
        0.1, 0.06, 0.0428571429, 0.0333333333, 0.0272727273, 0.02, 0.00566037736, 0.00545454545, 0.00291262136,
        0.00196078431, 0.00193548387, 0.00147783251
      ]
    ],
    [
      "inverseTimeDecay with staircase",
      Schedules.inverseTimeDecay({ ...inverse, staircase: true }),
      [
        0.1, 0.1, 0.1, 0.0333333333, 0.0333333333, 0.02, 0.00588235305, 0.00588235305, 0.0030303032, 0.0019607844,
        0.0019607844, 0.0014925374
      ]
    ],
    [
      "polynomialDecay",
      Schedules.polynomialDecay(polynomial),
      [1, 0.982, 0.964, 0.946, 0.928, 0.892, 0.55, 0.532, 0.1, 0.1, 0.1, 0.1]
    ],
    [
      "polynomialDecay of power 2",
      Schedules.polynomialDecay({ ...polynomial, power: 2 }),
      [1, 0.96436, 0.92944, 0.89524, 0.86176, 0.79696, 0.325, 0.30736, 0.1, 0.1, 0.1, 0.1]
    ],
    [
      "piecewiseConstant",
      Schedules.piecewiseConstant({ boundaries: [25, 75], values: [1, 0.5, 0.1] }),
      [1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.1, 0.1]
    ]
  ]
  for (const [name, schedule, expected] of rows) {
    it(`${name} at the edges`, () => {
      Golden.assertClose(schedule, { steps: edges, values: expected }, (value) => 1e-7 * value)
    })
  }
})
