import * as Schedules from "@optim/schedules"
import { pipe } from "effect/Function"
import type * as Schema from "effect/Schema"
import { describe, expectTypeOf, it } from "vitest"

const decay = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 2, decayRate: 0.5 })
const f = (step: number) => step
declare const any: Schedules.StepSize
declare const schedule: Schedules.Schedule

describe("types", () => {
  it("constructors give the member of their name", () => {
    expectTypeOf(decay).toEqualTypeOf<Schedules.ExponentialDecay>()
    expectTypeOf(decay).toExtend<Schedules.Schedule>()
    expectTypeOf(Schedules.constant(1)).toEqualTypeOf<Schedules.Constant>()
  })

  it("combinators of data are data, of functions are functions", () => {
    expectTypeOf(Schedules.scale(decay, 2)).toEqualTypeOf<Schedules.Scale>()
    expectTypeOf(Schedules.scale(schedule, 2)).toEqualTypeOf<Schedules.Scale>()
    expectTypeOf(Schedules.scale(0.1, 2)).toEqualTypeOf<Schedules.Scale>()
    expectTypeOf(Schedules.scale(f, 2)).toEqualTypeOf<Schedules.ScheduleFunction>()
    expectTypeOf(Schedules.scale(any, 2)).toEqualTypeOf<Schedules.Scale | Schedules.ScheduleFunction>()
    expectTypeOf(pipe(decay, Schedules.scale(2))).toEqualTypeOf<Schedules.Scale>()
    expectTypeOf(pipe(f, Schedules.clamp({ minimum: 0 }))).toEqualTypeOf<Schedules.ScheduleFunction>()
    expectTypeOf(Schedules.join({ schedules: [decay, 0.1], boundaries: [1] })).toEqualTypeOf<Schedules.Join>()
    expectTypeOf(Schedules.join({ schedules: [decay, f], boundaries: [1] })).toExtend<Schedules.StepSize>()
    expectTypeOf(Schedules.map(decay, (stepSize) => stepSize)).toEqualTypeOf<Schedules.ScheduleFunction>()
  })

  it("numbers, schedules and functions are step sizes; nothing else is", () => {
    expectTypeOf(Schedules.make).parameter(0).toEqualTypeOf<Schedules.StepSize>()
    expectTypeOf(Schedules.make(0.1)).toEqualTypeOf<(step: number) => number>()
    expectTypeOf(Schedules.at(f, 1)).toEqualTypeOf<number>()
    // @ts-expect-error a string is no step size
    Schedules.make("0.1")
    // @ts-expect-error nor is a list
    Schedules.at([0.1], 1)
  })

  it("options are checked by name", () => {
    // @ts-expect-error decayRate is missing
    Schedules.exponentialDecay({ stepSize: 1, decaySteps: 2 })
    // @ts-expect-error staircase belongs to exponentialDecay and inverseTimeDecay
    Schedules.polynomialDecay({ stepSize: 1, decaySteps: 2, finalStepSize: 0, staircase: true })
    // @ts-expect-error a power has no default
    Schedules.polynomialSchedule({ initValue: 1, endValue: 0, transitionSteps: 2 })
    // @ts-expect-error a third kind of interpolation is not known
    Schedules.piecewiseInterpolateSchedule({ interpolateType: "cubic", initValue: 1 })
    // @ts-expect-error a cycle of sgdrSchedule needs a peak
    Schedules.sgdrSchedule({ cycles: [{ initValue: 1, warmupSteps: 0, decaySteps: 2 }] })
    // @ts-expect-error a clamp needs a bound
    Schedules.clamp(decay, {})
  })

  it("the codec is of the type of its name, without services", () => {
    expectTypeOf(Schedules.Schedule).toEqualTypeOf<Schema.Codec<Schedules.Schedule>>()
    expectTypeOf<typeof Schedules.Schedule.Encoded>().toEqualTypeOf<Schedules.Schedule>()
  })
})
