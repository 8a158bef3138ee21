/**
 * Rules: what the fields of a schedule may hold.
 *
 * A rule says what is wrong with a value, fills in what may be left out of it, and describes itself as JSON Schema.
 * Constructors and the codec get all three from the one place where a kind lists its fields. Rules know no schedule:
 * whoever asks about one inside a value brings the answer along.
 */
import type { Fault } from "./Fault.ts"
import { under } from "./Fault.ts"

/** A piece of JSON Schema. */
interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** What a value may be. */
export interface Rule {
  /** Everything that is wrong with a value; `inside` answers for a schedule in it. */
  readonly faults: (value: unknown, inside: (schedule: unknown) => ReadonlyArray<Fault>) => ReadonlyArray<Fault>
  /** A copy of the value with its defaults filled in; `inside` does so for a schedule in it. */
  readonly complete: (value: unknown, inside: (schedule: unknown) => unknown) => unknown
  /** The JSON Schema of the values; `inside` stands for that of a schedule. */
  readonly json: (inside: JsonSchema) => JsonSchema
}

/** The rule of an object: one rule for each of its fields. */
export interface Struct<A extends object> extends Rule {
  readonly fields: Fields<A>
}

/** One rule for each field. */
export type Fields<A extends object> = { readonly [K in keyof A]-?: Rule }

/** Everything that is wrong with a value that has no schedule in it. */
export const faultsOf = (rule: Rule, value: unknown): ReadonlyArray<Fault> => rule.faults(value, () => [])

/** A value that is not looked into. */
const single = (expected: string, accepts: (value: unknown) => boolean, json: JsonSchema): Rule => ({
  faults: (value) => (accepts(value) ? [] : [{ path: [], value, expected }]),
  complete: (value) => value,
  json: () => json
})

/** A finite number that also passes the test. */
const number = (expected: string, accepts: (value: number) => boolean, json: JsonSchema): Rule =>
  single(expected, (value) => Number.isFinite(value) && accepts(value as number), json)

const isStepIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

export const finite: Rule = number("a finite number", () => true, { type: "number" })

export const positive: Rule = number("a finite number > 0", (value) => value > 0, {
  type: "number",
  exclusiveMinimum: 0
})

export const nonNegative: Rule = number("a finite number >= 0", (value) => value >= 0, { type: "number", minimum: 0 })

export const fraction: Rule = number("a number >= 0 and < 1", (value) => value >= 0 && value < 1, {
  type: "number",
  minimum: 0,
  exclusiveMaximum: 1
})

export const stepIndex: Rule = number("a non-negative integer", isStepIndex, { type: "integer", minimum: 0 })

export const stepCount: Rule = number("a positive integer", (value) => isStepIndex(value) && value > 0, {
  type: "integer",
  minimum: 1
})

export const flag: Rule = single("true or false", (value) => typeof value === "boolean", { type: "boolean" })

export const finiteOrNull: Rule = single(
  "a finite number or nothing",
  (value) => value === null || Number.isFinite(value),
  { type: ["number", "null"] }
)

/** One of a few texts. */
export const oneOf = (texts: ReadonlyArray<string>): Rule =>
  single(
    texts.map((text) => JSON.stringify(text)).join(" or "),
    (value) => texts.includes(value as string), // any other value is not among them
    { enum: texts }
  )

/** A schedule. */
export const schedule: Rule = {
  faults: (value, inside) => inside(value),
  complete: (value, inside) => inside(value),
  json: (inside) => inside
}

/** A list whose elements follow one rule. */
export const list = (rule: Rule): Rule => ({
  faults: (value, inside) =>
    Array.isArray(value)
      ? [...value].flatMap((element: unknown, index) => under([index], rule.faults(element, inside))) // holes count
      : [{ path: [], value, expected: "an array" }],
  complete: (value, inside) =>
    Array.isArray(value) ? value.map((element: unknown) => rule.complete(element, inside)) : value,
  json: (inside) => ({ type: "array", items: rule.json(inside) })
})

const stepKey = /^(?:0|[1-9]\d{0,15})$/

/** An object with a value for each of some steps, which are its keys. */
export const atSteps = (rule: Rule): Rule => ({
  faults: (value, inside) =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, element]) =>
          under(
            [key],
            stepKey.test(key) && isStepIndex(Number(key))
              ? rule.faults(element, inside)
              : [{ path: [], value: element, expected: "under a key that is a step, a non-negative integer" }]
          )
        )
      : [{ path: [], value, expected: "an object with a value for each of some steps" }],
  complete: (value) => (isObject(value) ? { ...value } : value),
  json: (inside) => ({
    type: "object",
    propertyNames: { pattern: stepKey.source },
    additionalProperties: rule.json(inside)
  })
})

/** Rules between the fields of an object, asked once each field is sound; and what fields may be left out. */
export interface StructOptions<A extends object> {
  readonly defaults?: Partial<A>
  readonly relations?: (self: A) => ReadonlyArray<Fault>
}

/** An object with these fields and no others. */
export const struct = <A extends object>(
  fields: Fields<A>,
  { defaults = {}, relations = () => [] }: StructOptions<A> = {}
): Struct<A> => {
  const names = Object.keys(fields) as Array<string & keyof A> // fields have no other keys
  const optional: object = defaults
  return {
    fields,
    faults: (value, inside) => {
      if (!isObject(value)) return [{ path: [], value, expected: "an object" }]
      const found = [
        ...strangers(names, value), // first, as a misspelt field is missing too
        ...names.flatMap((name) => under([name], fields[name].faults(value[name], inside)))
      ]
      return found.length > 0 ? found : relations(value as A) // each field has passed its rule
    },
    complete: (value, inside) =>
      isObject(value) ? completed({ ...optional, ...given(value) }, fields, names, inside) : value,
    json: (inside) => ({
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, fields[name].json(inside)])),
      required: names.filter((name) => !Object.hasOwn(optional, name)),
      additionalProperties: false
    })
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const given = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, element]) => element !== undefined))

/** The fields that an object should not have. */
const strangers = (names: ReadonlyArray<string>, value: object): ReadonlyArray<Fault> =>
  Object.entries(value)
    .filter(([name]) => !names.includes(name))
    .map(([name, element]) => ({
      path: [name],
      value: element,
      expected: `absent (the fields are ${names.filter((field) => field !== "_tag").join(", ")})`
    }))

/** The known fields in their order, each completed; then the strangers, for the rule to refuse. */
const completed = <A extends object>(
  value: Readonly<Record<string, unknown>>,
  fields: Fields<A>,
  names: ReadonlyArray<keyof A & string>,
  inside: (schedule: unknown) => unknown
): unknown => ({
  ...Object.fromEntries(
    names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, fields[name].complete(value[name], inside)])
  ),
  ...Object.fromEntries(Object.entries(value).filter(([name]) => !names.some((known) => known === name)))
})
