/**
 * Optimizers as data: a list of parts, each a name with options. One part may be one of JAX's optimizers; several are a
 * chain of transforms.
 *
 * What an option may be is said by the table, and how large by the library; here both are asked, and the answer is one
 * sentence about each option that is wrong.
 */
import { InvalidHyperParameter, Optimizer, Transform } from "@optim/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Field } from "./field.ts"
import { optimizerRow, rowOf, transformRow } from "./names.ts"
import type { AnyOptimizer, AnyTransform, Row } from "./row.ts"

/** Options as JSON. */
export type Options = { readonly [name: string]: Schema.Json }

/** An optimizer or a transform by name, and what it is made with; a wrapper has the chain that it wraps. */
export interface Part {
  readonly name: string
  readonly options: Options
  readonly inner?: ReadonlyArray<Part>
}

/** What was asked for cannot be made. */
export class BadOptimizer extends Schema.TaggedError<BadOptimizer>()("BadOptimizer", {
  place: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.place}: ${this.reason}`
  }
}

const mapValues = <A, B>(record: { readonly [name: string]: A }, f: (value: A, name: string) => B) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]))

type Values = { readonly [name: string]: unknown }

type AnyRow = Row<AnyOptimizer | AnyTransform>

const codecOf = ({ fields }: AnyRow) =>
  Schema.Struct(
    mapValues(fields, ({ isRequired, schema }) => (isRequired ? schema : Schema.optionalKey<typeof schema>(schema)))
  )

const print = (json: unknown): string => {
  const text = json === undefined ? "nothing" : JSON.stringify(json)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** What is wrong with an option; the codec of schedules says itself what it found where. */
const wrongOption = (name: string, option: string, message: string, value: unknown, field: Field<unknown>): string => {
  if (value === undefined) return `${name} needs ${option}, ${field.expected}`
  if (message.includes(", found ")) return `${name}: ${option}: ${message.replace(/^Expected/, "expected")}`
  return `${name}: expected ${option} to be ${field.expected}, found ${print(value)}`
}

const wrongOptions = ({ name, options }: Part, { fields }: AnyRow, issue: SchemaIssue.Issue): string =>
  SchemaIssue.makeFormatterStandardSchemaV1()(issue)
    .issues.map(({ message, path = [] }) => {
      const [first = ""] = path.map((key) => String(typeof key === "object" ? key.key : key))
      const field = fields[first]
      return field === undefined ? message : wrongOption(name, first, message, options[first], field)
    })
    .join("; ")

const unknownOption = ({ name, options }: Part, { fields, isWrapper }: AnyRow): string | undefined => {
  const unknown = Object.keys(options).find((option) => !Object.hasOwn(fields, option))
  if (unknown === undefined) return undefined
  const known = [...Object.keys(fields), ...(isWrapper ? ["inner"] : [])]
  const there = known.length === 0 ? "it has none" : `its options are ${known.join(", ")}`
  return `${name} has no option ${JSON.stringify(unknown)}; ${there}`
}

/** The options as the library takes them, or what is wrong with them. */
const decoded = (part: Part, row: AnyRow): Result.Result<Values, string> => {
  const unknown = unknownOption(part, row)
  if (unknown !== undefined) return Result.fail(unknown)
  const options = Schema.decodeResult(codecOf(row), { errors: "all" })(part.options)
  return Result.mapError(options, ({ issue }) => wrongOptions(part, row, issue))
}

const attempt = <A>(make: () => A): Result.Result<A, string> => {
  try {
    return Result.succeed(make())
  } catch (error) {
    if (error instanceof InvalidHyperParameter) return Result.fail(error.message)
    throw error
  }
}

const noSuch = (name: string): Result.Result<never, string> => Result.fail(`there is no ${JSON.stringify(name)}`)

const madeBy = <A>(
  part: Part,
  row: Row<A & (AnyOptimizer | AnyTransform)> | undefined,
  inner: AnyTransform | undefined
): Result.Result<A, string> => {
  if (row === undefined) return noSuch(part.name)
  return Result.flatMap(decoded(part, row), (options) => attempt(() => row.make(options, inner)))
}

const transformOf = (part: Part): Result.Result<AnyTransform, string> => {
  const row = transformRow(part.name)
  if (row?.isWrapper !== true) return madeBy(part, row, undefined)
  if (part.inner === undefined) return Result.fail(`${part.name} needs inner, a list of transforms`)
  const inner = Result.mapError(chainOf(part.inner), (reason) => `${part.name}: inner: ${reason}`)
  return Result.flatMap(inner, (transform) => madeBy(part, row, transform))
}

const chainOf = (parts: ReadonlyArray<Part>): Result.Result<AnyTransform, string> => {
  const [first, ...others] = parts
  if (first === undefined) return Result.fail("expected one transform or more")
  if (others.length === 0) return transformOf(first)
  const all = parts.map((part, index) => Result.mapError(transformOf(part), (reason) => `part ${index + 1}: ${reason}`))
  return Result.map(Result.all(all), (transforms) => Transform.chain(...transforms))
}

/** The optimizer that consists of these parts, or what is wrong with them. */
export const optimizerOf = (parts: ReadonlyArray<Part>): Result.Result<AnyOptimizer, string> => {
  const [first, ...others] = parts
  if (first !== undefined && others.length === 0 && optimizerRow(first.name) !== undefined)
    return madeBy(first, optimizerRow(first.name), undefined)
  // Forgets what the state consists of: a state only ever comes back to the optimizer that made it.
  return Result.map(chainOf(parts), (chain) => Optimizer.fromTransform(chain) as AnyOptimizer)
}

/** Options written in one way only: what has a default within a schedule is filled in. */
const canonical = (part: Part): Result.Result<Part, string> => {
  const row = rowOf(part.name)
  if (row === undefined) return noSuch(part.name)
  return Result.flatMap(decoded(part, row), (values) => {
    const options = Schema.encodeSync(codecOf(row))(values) as Options // every kind of field encodes to JSON
    if (part.inner === undefined) return Result.succeed<Part>({ name: part.name, options })
    return Result.map(Result.all(part.inner.map(canonical)), (inner): Part => ({ name: part.name, options, inner }))
  })
}

/** The same parts, each written in one way only, if an optimizer can be made of them. */
export const checked = (parts: ReadonlyArray<Part>): Result.Result<ReadonlyArray<Part>, string> =>
  Result.flatMap(optimizerOf(parts), () => Result.all(parts.map(canonical)))
