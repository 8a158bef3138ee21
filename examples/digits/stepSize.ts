/**
 * `--step-size` and `--schedule`: from text to a step size.
 *
 *     exponentialDecay                                    a schedule with its defaults, from the given step size on
 *     exponentialDecay:decaySteps=500,decayRate=0.9       the same with some of its fields
 *     {"_tag":"Clamp","minimum":1e-4, …}                  any schedule of @optim/schedules, in full, as JSON
 *
 * What is allowed in a schedule is known to @optim/schedules; its codec has the last word here.
 */
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { oneLine } from "./failure.ts"

/** A schedule that cannot be made out. */
export class BadSchedule extends Schema.TaggedError<BadSchedule>()("BadSchedule", {
  text: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `--schedule ${this.text}: ${this.reason}`
  }
}

/** The schedules that have a name here, with fields that suit some thousand steps. */
const named = {
  constant: (stepSize) => Schedules.constant(stepSize),
  exponentialDecay: (stepSize) => Schedules.exponentialDecay({ stepSize, decaySteps: 1000, decayRate: 0.5 }),
  inverseTimeDecay: (stepSize) => Schedules.inverseTimeDecay({ stepSize, decaySteps: 1000, decayRate: 1 }),
  polynomialDecay: (stepSize) =>
    Schedules.polynomialDecay({ stepSize, decaySteps: 3000, finalStepSize: stepSize / 100 }),
  piecewiseConstant: (stepSize) =>
    Schedules.piecewiseConstant({ boundaries: [1500, 2500], values: [stepSize, stepSize / 10, stepSize / 100] }),
  cosineDecaySchedule: (stepSize) => Schedules.cosineDecaySchedule({ initValue: stepSize, decaySteps: 3000 })
} satisfies { readonly [name: string]: (stepSize: number) => Schedules.Schedule }

/** The names of schedules. */
export const names: ReadonlyArray<string> = Object.keys(named)

const isName = (name: string): name is keyof typeof named => Object.hasOwn(named, name)

/** The schedule that a text stands for, beginning with the step size, if there is one, unless it says otherwise. */
export const schedule = Effect.fnUntraced(function* (
  text: string,
  stepSize: number | undefined
): Effect.fn.Return<Schedules.Schedule, BadSchedule> {
  const refuse = (reason: string) => new BadSchedule({ text, reason })
  const fields = text.startsWith("{")
    ? yield* Effect.mapError(json(text), () => refuse("expected JSON"))
    : yield* Effect.mapError(fieldsOf(text, stepSize), refuse)
  return yield* Effect.mapError(decode(fields), ({ message }) => refuse(oneLine(message)))
})

const decode = Schema.decodeUnknownEffect(Schedules.Schedule)

const json = Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown))

const fieldsOf = Effect.fnUntraced(function* (
  text: string,
  stepSize: number | undefined
): Effect.fn.Return<unknown, string> {
  const [name = "", ...rest] = text.split(":")
  if (!isName(name)) return yield* Effect.fail(`expected one of ${names.join(", ")}, or a schedule as JSON`)
  if (stepSize === undefined) return yield* Effect.fail("expected --step-size, or a schedule as JSON")
  const given = yield* Effect.forEach(assignments(rest.join(":")), assignment)
  return { ...named[name](stepSize), ...Object.fromEntries(given) }
})

/** What stands between commas that are not within brackets. */
const assignments = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(/,(?![^[]*\])/))

const assignment = Effect.fnUntraced(function* (
  text: string
): Effect.fn.Return<readonly [field: string, value: unknown], string> {
  const [field = "", value] = text.split("=")
  if (value === undefined) return yield* Effect.fail(`expected field=value, found ${text}`)
  const found = yield* Effect.mapError(json(value), () => `expected ${field} to be a number or a list, found ${value}`)
  return [field, found]
})
