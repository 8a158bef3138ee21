/**
 * The data of a run: rows to train on and rows to test on, from files or drawn, in a common scale.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Csv from "./csv.ts"
import type { CsvError } from "./csvError.ts"
import { type Dataset, generate } from "./dataset.ts"
import * as Normalize from "./normalize.ts"
import { split } from "./split.ts"
import type { Table } from "./table.ts"

/** Where the rows come from: from files, or without them from the program's own pen. */
export interface Source {
  readonly train: string | undefined
  readonly test: string | undefined
  readonly label: string | undefined
}

/** What a run is trained and tested on. */
export interface Data extends Dataset {
  /** The same for the same training rows, and for no others. */
  readonly fingerprint: string
}

/** There is nothing to tell apart, or nothing to test on. */
export class TooFewRows extends Schema.TaggedError<TooFewRows>()("TooFewRows", {
  path: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.path} has too few rows to learn from: expected ${this.expected}`
  }
}

/** The share of the training rows that is kept aside when there is no file to test on. */
const aside = 0.2

/** Reads or draws the rows, and brings every column to the range from 0 to 1. */
export const load = Effect.fnUntraced(function* (
  source: Source,
  seed: number
): Effect.fn.Return<Data, CsvError | TooFewRows, FileSystem.FileSystem> {
  const raw = yield* source.train === undefined ? generate({ seed }) : read({ ...source, train: source.train }, seed)
  const scale = Normalize.fit(raw.train, "range")
  const train = Normalize.apply(raw.train, scale)
  return { train, test: Normalize.apply(raw.test, scale), fingerprint: fingerprint(train) }
})

const read = Effect.fnUntraced(function* (
  { label = "label", test, train: path }: Source & { readonly train: string },
  seed: number
): Effect.fn.Return<Dataset, CsvError | TooFewRows, FileSystem.FileSystem> {
  const train = yield* Csv.read(path, { label })
  if (train.classes.length < 2) return yield* new TooFewRows({ path, expected: "two classes or more" })
  if (test === undefined) return yield* split(train, { seed, test: aside })
  return { train, test: yield* Csv.read(test, { label, like: train }) }
})

const fingerprint = ({ classes, columns, features, labels }: Table): string =>
  createHash("sha256").update(JSON.stringify({ classes, columns })).update(features).update(labels).digest("hex")

/** The data in words. */
export const describe = ({ test, train }: Data): string =>
  `${train.rows} rows to train on, ${test.rows} to test on: ${train.columns.length} columns, ${train.classes.length} classes`
