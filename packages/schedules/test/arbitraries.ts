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

/** One arbitrary for each tag: a kind without one does not compile. */
const kinds = fc.letrec<
  { [Tag in Schedules.Schedule["_tag"]]: Extract<Schedules.Schedule, { _tag: Tag }> } & {
    Any: Schedules.Schedule
  }
>((tie) => ({
  Constant: finite.map(Schedules.constant),
  ExponentialDecay: fc.record({ stepSize: finite, decaySteps, decayRate }).map(Schedules.exponentialDecay),
  InverseTimeDecay: fc
    .record({ stepSize: finite, decaySteps, decayRate, staircase: fc.boolean() })
    .map(Schedules.inverseTimeDecay),
  PolynomialDecay: fc
    .record({ stepSize: finite, decaySteps, finalStepSize: finite, power: fc.constantFrom(0, 0.5, 1, 2, 3) })
    .map(Schedules.polynomialDecay),
  PiecewiseConstant: fc.array(fc.tuple(finite, finite), { maxLength: 4 }).chain((pairs) =>
    finite.map((last) =>
      Schedules.piecewiseConstant({
        boundaries: pairs.map(([boundary]) => boundary),
        values: [...pairs.map(([, value]) => value), last]
      })
    )
  ),
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
    tie("PiecewiseConstant"),
    tie("Join"),
    tie("Scale"),
    tie("Clamp")
  )
}))

export const { Any: schedule, Join: joined } = kinds
export { bounds, finite }
