/** Sound schedules of every kind, nested a few levels deep. */
import * as Schedules from "@optim/schedules"
import * as fc from "fast-check"

/** The seed and the number of runs of every property here; a failure prints the shrunk input. */
export const runs = { seed: 20, numRuns: 300 } as const

// JSON text has no -0
const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((value) => value + 0)
const decaySteps = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double({ noNaN: true, min: 0.5, max: 1000 }))
const decayRate = fc.double({ noNaN: true, min: 0, max: 4 }).map((value) => value + 0)

export const step = fc.integer({ min: 0, max: 2000 })

const bounds = fc
  .tuple(finite, finite)
  .chain(([a, b]) =>
    fc.constantFrom<Schedules.ClampBounds>(
      { minimum: Math.min(a, b), maximum: Math.max(a, b) },
      { minimum: a },
      { maximum: b }
    )
  )

const boundaries = (length: number): fc.Arbitrary<Array<number>> =>
  fc.array(step, { minLength: length, maxLength: length }).map((steps) => steps.toSorted((a, b) => a - b))

const nonNegative = fc.double({ noNaN: true, min: 0, max: 1000 }).map((value) => value + 0)
const positive = fc.double({ noNaN: true, min: 0.5, max: 100 })
const exponent = fc.constantFrom(0, 0.5, 1, 2, 3)
const fraction = fc.double({ noNaN: true, min: 0, max: 0.4 }).map((value) => value + 0)

const transition = { initValue: finite, endValue: finite, transitionSteps: decaySteps, transitionBegin: nonNegative }

const decay = {
  decayRate,
  transitionBegin: nonNegative,
  staircase: fc.boolean(),
  endValue: fc.option(finite)
}

const warmup = { initValue: finite, peakValue: finite, warmupSteps: fc.oneof(step, fc.constant(0), nonNegative) }

const boundariesAndScales = fc.dictionary(step.map(String), decayRate, { maxKeys: 5, noNullPrototype: true })

const onecycle = {
  transitionSteps: fc.integer({ min: 10, max: 2000 }),
  peakValue: finite,
  pctStart: fraction,
  divFactor: positive,
  finalDivFactor: positive
}

const cycle = fc
  .record({ ...warmup, decaySteps, endValue: fc.double({ noNaN: true, min: -2, max: 2 }), exponent })
  .map((options) => ({
    ...options,
    decaySteps: options.warmupSteps + options.decaySteps,
    endValue: options.peakValue * options.endValue + 0
  }))

/** One arbitrary for each tag: a kind without one does not compile. */
const kinds = fc.letrec<
  { [Tag in Schedules.Schedule["_tag"]]: Extract<Schedules.Schedule, { _tag: Tag }> } & {
    Any: Schedules.Schedule
  }
>((tie) => ({
  Constant: finite.map(Schedules.constant),
  ExponentialDecay: fc.record({ stepSize: finite, decaySteps, ...decay }).map(Schedules.exponentialDecay),
  InverseTimeDecay: fc
    .record({ stepSize: finite, decaySteps, decayRate, staircase: fc.boolean() })
    .map(Schedules.inverseTimeDecay),
  PolynomialDecay: fc
    .record({ stepSize: finite, decaySteps, finalStepSize: finite, power: exponent })
    .map(Schedules.polynomialDecay),
  PolynomialSchedule: fc.record({ ...transition, power: exponent }).map(Schedules.polynomialSchedule),
  LinearSchedule: fc.record(transition).map(Schedules.linearSchedule),
  CosineDecaySchedule: fc
    .record({ initValue: finite, decaySteps, alpha: finite, exponent })
    .map(Schedules.cosineDecaySchedule),
  PiecewiseConstant: fc.array(fc.tuple(finite, finite), { maxLength: 4 }).chain((pairs) =>
    finite.map((last) =>
      Schedules.piecewiseConstant({
        boundaries: pairs.map(([boundary]) => boundary),
        values: [...pairs.map(([, value]) => value), last]
      })
    )
  ),
  PiecewiseConstantSchedule: fc
    .record({ initValue: finite, boundariesAndScales })
    .map(Schedules.piecewiseConstantSchedule),
  PiecewiseInterpolateSchedule: fc
    .record({
      interpolateType: fc.constantFrom<Schedules.InterpolateType>("linear", "cosine"),
      initValue: finite,
      boundariesAndScales
    })
    .map(Schedules.piecewiseInterpolateSchedule),
  LinearOnecycleSchedule: fc
    .record({ ...onecycle, pctFinal: fraction })
    .map((options) => ({ ...options, pctFinal: options.pctFinal + 0.55 }))
    .map(Schedules.linearOnecycleSchedule),
  CosineOnecycleSchedule: fc.record(onecycle).map(Schedules.cosineOnecycleSchedule),
  WarmupConstantSchedule: fc.record(warmup).map(Schedules.warmupConstantSchedule),
  WarmupCosineDecaySchedule: cycle.map(Schedules.warmupCosineDecaySchedule),
  WarmupExponentialDecaySchedule: fc
    .record({ ...warmup, ...decay, transitionSteps: decaySteps })
    .map(Schedules.warmupExponentialDecaySchedule),
  SgdrSchedule: fc.array(cycle, { minLength: 1, maxLength: 4 }).map((cycles) => Schedules.sgdrSchedule({ cycles })),
  Join: fc
    .array(tie("Any"), { minLength: 1, maxLength: 4 })
    .chain((schedules) => boundaries(schedules.length - 1).map((starts) => ({ schedules, boundaries: starts })))
    .map((options) => Schedules.join(options)),
  Scale: fc.tuple(tie("Any"), finite).map(([schedule, factor]) => Schedules.scale(schedule, factor)),
  Clamp: fc.tuple(tie("Any"), bounds).map(([schedule, between]) => Schedules.clamp(schedule, between)),
  Any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("Constant"),
    tie("ExponentialDecay"),
    tie("InverseTimeDecay"),
    tie("PolynomialDecay"),
    tie("PolynomialSchedule"),
    tie("LinearSchedule"),
    tie("CosineDecaySchedule"),
    tie("PiecewiseConstant"),
    tie("PiecewiseConstantSchedule"),
    tie("PiecewiseInterpolateSchedule"),
    tie("LinearOnecycleSchedule"),
    tie("CosineOnecycleSchedule"),
    tie("WarmupConstantSchedule"),
    tie("WarmupCosineDecaySchedule"),
    tie("WarmupExponentialDecaySchedule"),
    tie("SgdrSchedule"),
    tie("Join"),
    tie("Scale"),
    tie("Clamp")
  )
}))

export const { Any: schedule, Join: joined } = kinds
export { bounds, finite }
