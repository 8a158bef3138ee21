/**
 * The codec of schedules: JSON in, a sound schedule out, or an error that names the bad field.
 *
 * Shapes, rules and defaults all come from the kinds, so that decoding refuses what the constructors refuse, says the
 * same about it, and fills in the same defaults. By hand, and not a union of structs: such a codec drops
 * fields that it does not know, takes a step of the stack for each schedule inside another, and cannot say which rule
 * was broken. A module of its own: a program that never decodes a schedule does not load the parser.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { all, complete, faults, isDeeper, maxLevels } from "./internal/catalogue.ts"
import { type Fault, formatPath, print } from "./internal/Fault.ts"
import type * as Data from "./Schedule.ts"

/** What a fault says: in the words of the innermost schedule that holds the bad value. */
const describe = ({ expected, path, value, within }: Fault): string => {
  const place = formatPath(within?.path ?? path)
  const of = within === undefined ? "" : ` of ${within.schedule}`
  return place === "" ? `Expected ${expected}` : `Expected ${place}${of} to be ${expected}, found ${print(value)}`
}

const issueOf = (fault: Fault, options: ParseOptions): SchemaIssue.Issue => {
  const issue = new SchemaIssue.InvalidValue({ message: describe(fault) }, fault.value, options)
  return fault.path.length === 0 ? issue : new SchemaIssue.Pointer(fault.path, issue)
}

const Sound = Schema.declareConstructor<Data.Schedule>()(
  [],
  () => (input, ast, options) => {
    // depth comes first: filling in the defaults takes a step of the stack for each level
    const schedule = isDeeper(input, maxLevels) ? input : complete(input)
    const [first, ...others] = faults(schedule).map((fault) => issueOf(fault, options))
    if (first === undefined) return Effect.succeed(schedule as Data.Schedule) // it has no faults
    return Effect.fail(
      new SchemaIssue.Composite(ast, options.errors === "all" ? [first, ...others] : [first], input, options)
    )
  },
  { toCodecJson: () => undefined } // a schedule is JSON already
)

const itself = Schema.suspend((): Schema.Codec<Data.Schedule> => Schedule)

/** Says the shapes in JSON Schema; it refuses nothing. */
const documented = Schema.makeFilter<Data.Schedule>(() => true, {
  representation: { id: "@optim/schedules/Schedule", payload: null, schemas: [itself.ast] },
  toJsonSchema: ({ schemas: [self = {}] }) => ({ anyOf: all.map(({ data }) => data.json(self)) })
})

/** A step size that depends on the step, as data. */
export type Schedule = Data.Schedule

/**
 * The codec of schedules. The encoded form is the schedule itself, which is plain JSON; what has a default may be left
 * out of it.
 *
 * Fails with a `SchemaError` that gives the path of each bad field, what is allowed there and what was found. An
 * unknown field is refused with the list of the known ones, and so are schedules inside one another on more than 100
 * levels.
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
 * assert.throws(() => Schema.decodeUnknownSync(Json)(text.replace("Rate", "Rat")), /decayRat of exponentialDecay/)
 * ```
 */
export const Schedule: Schema.Codec<Data.Schedule> = Sound.check(documented).annotate({ identifier: "Schedule" })
