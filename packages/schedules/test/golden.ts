/** Golden records: values of the references' schedules, made by the references themselves in float64. */
import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Arr from "effect/Array"
import * as Schema from "effect/Schema"

const GoldenFile = Schema.Struct({
  records: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      kwargs: Schema.Record(Schema.String, Schema.Unknown),
      steps: Schema.Array(Schema.Finite),
      values: Schema.Array(Schema.Finite)
    })
  )
})

export type GoldenRecord = (typeof GoldenFile.Type)["records"][number]

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(GoldenFile))

export const read = (file: string): ReadonlyArray<GoldenRecord> =>
  decode(readFileSync(new URL(`./golden/${file}`, import.meta.url), "utf8")).records

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** What Optax calls otherwise. */
const renamed: Readonly<Record<string, string>> = { constant_schedule: "constant", join_schedules: "join" }

/** The same for options, by the schedule's name. */
const renamedOptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  constant_schedule: { value: "stepSize" },
  exponential_decay: { init_value: "stepSize", transition_steps: "decaySteps" },
  sgdr_schedule: { cosine_kwargs: "cycles" }
}

/** The name here of a schedule that the references know. */
export const nameOf = (name: string): string => renamed[name] ?? camelCase(name)

type Kwargs = Readonly<Record<string, unknown>>

const options = (name: string, kwargs: Kwargs): Kwargs =>
  Object.fromEntries(
    Object.entries(kwargs).map(([key, value]) => [renamedOptions[name]?.[key] ?? camelCase(key), option(value)])
  )

const isObject = (value: unknown): value is Kwargs => typeof value === "object" && value !== null

const option = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(option)
  if (!isObject(value)) return value
  const { $schedule, ...kwargs } = value
  return typeof $schedule === "string" ? scheduleOf({ name: $schedule, kwargs }) : options("", value)
}

const makers = new Map<string, (options: never) => Schedules.Schedule>(
  Object.entries({
    ...(Schedules as unknown as Record<string, (options: never) => Schedules.Schedule>), // called by the records' names
    constant: ({ stepSize }: { readonly stepSize: number }) => Schedules.constant(stepSize)
  })
)

/** The schedule of a record, made by the function of its name. */
export const scheduleOf = ({ kwargs, name }: Pick<GoldenRecord, "name" | "kwargs">): Schedules.Schedule => {
  const make = makers.get(nameOf(name)) ?? assert.fail(`no export for ${name}`)
  return make(options(name, kwargs) as never)
}

/** A relative error in the last digits, in which the power functions of two platforms may differ. */
export const lastDigits = 1e-15

export const assertClose = (
  schedule: Schedules.Schedule,
  { steps, values }: Pick<GoldenRecord, "steps" | "values">,
  bound: (value: number) => number = (value) => lastDigits * Math.abs(value)
): void => {
  for (const [step, value] of Arr.zip(steps, values)) {
    assert.approximately(Schedules.at(schedule, step), value, bound(value), `step ${step}`)
  }
}
