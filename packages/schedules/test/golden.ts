/** Golden records: values of the reference's schedules, made by the reference itself in float64. */
import { readFileSync } from "node:fs"
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

export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

export const camelCaseKeys = (record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [camelCase(key), value]))
