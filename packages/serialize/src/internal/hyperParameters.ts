/**
 * Hyper-parameters as JSON, exactly.
 *
 * Numbers, flags, texts and schedules are themselves in JSON. What JSON has no word for is tagged: `NaN`, infinities and
 * −0 by name; a plain function, which no data can say, as `Opaque` with its name. So a run with such a function can be
 * saved and resumed (with the same code), and its file tells what is missing.
 */
import * as Schedules from "@optim/schedules"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

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

const ExactNumber = Schema.Union([Schema.Finite, Special]).pipe(
  Schema.decodeTo(
    // @effect-diagnostics-next-line schemaNumber:off -- any number is meant
    Schema.Number,
    SchemaTransformation.transform({
      decode: (encoded) => (typeof encoded === "number" ? encoded : words[encoded.value]),
      encode: (value) => {
        const word = wordOf(value)
        return word === undefined ? value : ({ _tag: "Number", value: word } as const)
      }
    })
  )
)

const Opaque = Schema.TaggedStruct("Opaque", { name: Schema.String })

/** The codec of one hyper-parameter. */
export const HyperParameter = Schema.Union([ExactNumber, Schema.Boolean, Schema.String, Schedules.Schedule, Opaque])

const Name = Schema.String.check(
  Schema.makeFilter((name) => name !== "__proto__" || "Expected a name other than __proto__")
)

/** The codec of all hyper-parameters of an optimizer. */
export const HyperParameters = Schema.Record(Name, HyperParameter)

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
