/**
 * Hyper-parameters as JSON, exactly.
 *
 * Numbers, flags, texts and schedules are themselves in JSON. What JSON has no word for is tagged: `NaN`, infinities and
 * −0 by name; a plain function, which no data can say, as `Opaque` with its name. So a run with such a function can be
 * saved and resumed (with the same code), and its file tells what is missing.
 */
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import { hasProperty, isTagged } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"

/** A function that stood where a hyper-parameter is written: all that remains is its name. */
export interface Opaque {
  readonly _tag: "Opaque"
  readonly name: string
}

/** A hyper-parameter as data. */
export type HyperParameter = number | boolean | string | Schedules.Schedule | Opaque

/** What an optimizer was made with, as data. */
export type HyperParameters = { readonly [name: string]: HyperParameter }

const words = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity, "-0": -0 } as const

type Word = keyof typeof words

const wordOf = (value: number): Word | undefined =>
  (Object.keys(words) as ReadonlyArray<Word>) // the keys of a literal are exactly its names
    .find((word) => Object.is(words[word], value))

const Special = Schema.TaggedStruct("Number", { value: Schema.Literals(["NaN", "Infinity", "-Infinity", "-0"]) })

const Opaque = Schema.TaggedStruct("Opaque", { name: Schema.String })

const expected = "a number, a flag, a text, a schedule or an opaque function"

type Outcome<A> = Effect.Effect<A, SchemaIssue.Issue>

const wrong = Effect.fail(new SchemaIssue.InvalidValue({ message: `Expected ${expected}` }))

const isPrimitive = (value: unknown): value is number | boolean | string =>
  typeof value === "number" || typeof value === "boolean" || typeof value === "string"

const decode = (json: Schema.Json, options: ParseOptions): Outcome<HyperParameter> => {
  if (isPrimitive(json)) return Effect.succeed(json)
  if (isTagged(json, "Number")) {
    return Effect.map(SchemaParser.decodeUnknownEffect(Special)(json, options), ({ value }) => words[value])
  }
  if (isTagged(json, "Opaque")) return SchemaParser.decodeUnknownEffect(Opaque)(json, options)
  return hasProperty(json, "_tag") ? SchemaParser.decodeUnknownEffect(Schedules.Schedule)(json, options) : wrong
}

const encode = (value: HyperParameter, options: ParseOptions): Outcome<Schema.Json> => {
  if (typeof value === "number") {
    const word = wordOf(value)
    return Effect.succeed(word === undefined ? value : { _tag: "Number", value: word })
  }
  if (isPrimitive(value)) return Effect.succeed(value)
  const encoded: Outcome<unknown> = isTagged(value, "Opaque")
    ? SchemaParser.encodeUnknownEffect(Opaque)(value, options)
    : SchemaParser.encodeUnknownEffect(Schedules.Schedule)(value, options)
  return Effect.map(encoded, (json) => json as Schema.Json) // both schemas encode to JSON
}

const isHyperParameter = (value: unknown): value is HyperParameter => isPrimitive(value) || hasProperty(value, "_tag")

/**
 * The codec of one hyper-parameter. By hand, and not a union: a union reports the failures of all its members.
 */
export const HyperParameter: Schema.Codec<HyperParameter, Schema.Json> = Schema.Json.pipe(
  Schema.decodeTo(Schema.declare(isHyperParameter, { expected }), {
    decode: SchemaGetter.transformEffect(decode),
    encode: SchemaGetter.transformEffect(encode)
  })
)

const isPlain = Schema.makeFilter(
  (parameters: object) => !Object.hasOwn(parameters, "__proto__") || "Expected names other than __proto__"
)

/** The codec of all hyper-parameters of an optimizer. */
export const HyperParameters = Schema.Record(Schema.String, HyperParameter).check(isPlain)

/** Hyper-parameters of an optimizer as data. */
export const fromOptimizer = (hyperParameters: {
  readonly [name: string]: number | boolean | string | Schedules.StepSize
}): HyperParameters =>
  Object.fromEntries(
    Object.entries(hyperParameters).map(([name, value]) => [
      name,
      typeof value === "function" ? { _tag: "Opaque", name: value.name } : value
    ])
  )
