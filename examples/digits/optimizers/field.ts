/**
 * The kinds of options that optimizers have, each as a schema between JSON and what the library takes.
 */
import { Transform } from "@optim/core"
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** An option: what is allowed, in words and as a schema, and whether it may be left out. */
export interface Field<out A> {
  readonly expected: string
  readonly schema: Schema.Schema<A> & Schema.Codec<unknown, unknown>
  readonly isRequired: boolean
}

const field = <A>(expected: string, schema: Schema.Codec<A, unknown>): Field<A> => ({
  expected,
  schema,
  isRequired: false
})

const declared = <A>(expected: string, is: (json: unknown) => json is A): Field<A> =>
  field(expected, Schema.declare(is, { expected }))

/** An option that has no default. */
export const required = <A>(one: Field<A>): Field<A> => ({ ...one, isRequired: true })

const isNumber = (json: unknown): json is number => typeof json === "number" && Number.isFinite(json)

/** A number. What it may be is up to the optimizer. */
export const number = declared("a number", isNumber)

/** A number, or null for doing without. */
export const numberOrNull = declared("a number or null", (json) => json === null || isNumber(json))

/** A flag. */
export const flag = declared("true or false", (json) => typeof json === "boolean")

/** One of some words. */
export const choice = <const Word extends string>(...words: ReadonlyArray<Word>): Field<Word> =>
  declared(`one of ${words.map((word) => JSON.stringify(word)).join(", ")}`, (json): json is Word =>
    words.some((word) => word === json)
  )

const rateWords = "a number, or a schedule with its _tag"

const wrongRate = Effect.fail(new SchemaIssue.InvalidValue({ message: `Expected ${rateWords}` }))

const decodeRate = (json: unknown, options: ParseOptions): Effect.Effect<Rate, SchemaIssue.Issue> => {
  if (isNumber(json)) return Effect.succeed(json)
  return hasProperty(json, "_tag") ? SchemaParser.decodeUnknownEffect(Schedules.Schedule)(json, options) : wrongRate
}

/** A rate as data. */
export type Rate = number | Schedules.Schedule

const isRate = (value: unknown): value is Rate => isNumber(value) || Schedules.isSchedule(value)

/** A number, or any schedule of `@optim/schedules` as JSON. By hand: a union would report what is wrong with either. */
export const rate: Field<Rate> = field(
  rateWords,
  Schema.Unknown.pipe(
    Schema.decodeTo(Schema.declare(isRate, { expected: rateWords }), {
      decode: SchemaGetter.transformEffect(decodeRate),
      encode: SchemaGetter.passthrough()
    })
  )
)

const masks = {
  all: true,
  weights: Transform.leavesWhere(({ shape }) => shape.length > 1),
  biases: Transform.leavesWhere(({ shape }) => shape.length < 2)
} satisfies { readonly [word: string]: Transform.Mask }

type MaskWord = keyof typeof masks

const maskWords = Object.keys(masks) as ReadonlyArray<MaskWord> // the keys of a literal are exactly its names

const wordOf = (mask: unknown): MaskWord => maskWords.find((word) => masks[word] === mask) ?? "all"

const wordOfMask = choice(...maskWords)

/** Which parameters are meant. */
export const leaves: Field<Transform.Mask> = field(
  wordOfMask.expected,
  wordOfMask.schema.pipe(
    Schema.decodeTo(
      Schema.Unknown,
      SchemaTransformation.transform({ decode: (word: MaskWord): unknown => masks[word], encode: wordOf })
    )
  )
)
