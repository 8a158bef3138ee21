/**
 * The codec of schedules: JSON in, a sound schedule out, or an error that names the bad field.
 *
 * The shapes are written here, the rules come from the kinds, so that decoding refuses what the constructors refuse
 * and says the same about it. A module of its own: a program that never decodes a schedule does not load the parser.
 */
import * as Schema from "effect/Schema"
import { kindOf, tags } from "./internal/catalogue.ts"
import { type Fault, formatPath, print } from "./internal/Fault.ts"
import type * as Data from "./Schedule.ts"

const nested = Schema.suspend((): Schema.Codec<Data.Schedule> => Schedule)

const Shapes = Schema.TaggedUnion({
  Constant: { stepSize: Schema.Finite },
  ExponentialDecay: { stepSize: Schema.Finite, decaySteps: Schema.Finite, decayRate: Schema.Finite },
  InverseTimeDecay: {
    stepSize: Schema.Finite,
    decaySteps: Schema.Finite,
    decayRate: Schema.Finite,
    staircase: Schema.Boolean
  },
  PolynomialDecay: {
    stepSize: Schema.Finite,
    decaySteps: Schema.Finite,
    finalStepSize: Schema.Finite,
    power: Schema.Finite
  },
  PiecewiseConstant: { boundaries: Schema.Array(Schema.Finite), values: Schema.Array(Schema.Finite) },
  Join: { boundaries: Schema.Array(Schema.Finite), schedules: Schema.Array(nested) },
  Scale: { factor: Schema.Finite, schedule: nested },
  Clamp: { minimum: Schema.NullOr(Schema.Finite), maximum: Schema.NullOr(Schema.Finite), schedule: nested }
}).annotate({ message: `Expected a schedule, an object whose _tag is ${tags}` })

const describe = (name: string, { expected, path, value }: Fault): Schema.FilterIssue => ({
  path,
  issue: `Expected ${formatPath(path)} of ${name} to be ${expected}, found ${print(value)}`
})

// the schedules inside have already been through the codec themselves
const isSound = Schema.makeFilter((schedule: Data.Schedule) => {
  const { faults, name } = kindOf(schedule)
  return faults(schedule, () => []).map((fault) => describe(name, fault))
})

/** A step size that depends on the step, as data. */
export type Schedule = Data.Schedule

/**
 * The codec of schedules. The encoded form is the schedule itself, which is plain JSON.
 *
 * Fails with a `SchemaError` that gives the path of each bad field, what is allowed there and what was found.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schema from "effect/Schema"
 * import * as Schedules from "@optim/schedules"
 *
 * const Json = Schema.fromJsonString(Schedules.Schedule)
 * const decay = Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 100, decayRate: 0.9 })
 * const text = Schema.encodeSync(Json)(decay)
 * assert.deepStrictEqual(Schema.decodeUnknownSync(Json)(text), decay)
 * assert.throws(() => Schema.decodeUnknownSync(Json)(text.replace("100", "-100")), /decaySteps of exponentialDecay/)
 * ```
 */
export const Schedule: Schema.Codec<Data.Schedule> = Shapes.check(isSound)
