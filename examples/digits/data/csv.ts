/**
 * Tables from CSV files: a header, one row per example, one column that holds the class.
 *
 * The text is taken apart by effect's own CSV decoder (quotes, line endings, byte order mark), which streams the file;
 * this module only turns cells into numbers and says where they are none. Blank lines are skipped, spaces around a
 * cell do not count. A row is known by its line in the file, as an editor shows it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Csv from "effect/encoding/Csv"
import { platformReason } from "../failure.ts"
import {
  BadCell,
  type CsvError,
  DuplicateColumn,
  EmptyFile,
  MalformedCsv,
  RaggedRow,
  UnexpectedColumn,
  UnknownColumn,
  UnreadableFile
} from "./csvError.ts"
import type { Table } from "./table.ts"

/** How a file is read. */
export interface ReadOptions {
  /** The name of the column with the classes: integers. */
  readonly label: string
  /** The table that this one must go with: the same feature columns, in any order, and no other classes. */
  readonly like?: Table | undefined
}

/** Reads a table. Fails with the first thing that is wrong with the file, in one line. */
export const read = Effect.fn("csv.read")(function* (
  path: string,
  options: ReadOptions
): Effect.fn.Return<Table, CsvError, FileSystem.FileSystem> {
  const [header, ...lines] = yield* readLines(path)
  if (header === undefined) return yield* new EmptyFile({ path, missing: "header" })
  const { features, label, width } = yield* chooseColumns(path, header.cells, options)
  if (lines.length === 0) return yield* new EmptyFile({ path, missing: "rows" })
  yield* checkWidths(path, width, lines)
  const values = yield* readClasses(path, label, lines)
  const classes = options.like?.classes ?? [...new Set(values)].toSorted((a, b) => a - b)
  return {
    features: yield* readFeatures(path, features, lines),
    labels: yield* toLabels(path, label.name, lines, values, classes),
    rows: lines.length,
    columns: features.map(({ name }) => name),
    classes
  }
})

interface Line {
  readonly number: number
  readonly cells: ReadonlyArray<string>
}

const readLines = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const records = yield* fs.stream(path).pipe(
    Stream.pipeThroughChannelOrFail(Csv.decode()),
    Stream.runCollect,
    Effect.catchTags({
      PlatformError: (error) => new UnreadableFile({ path, reason: platformReason(error) }),
      CsvError: ({ line, message }) => new MalformedCsv({ path, line, reason: message })
    })
  )
  return records
    .map((cells, index): Line => ({ number: index + 1, cells: cells.map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.length > 1 || cells[0] !== "")
})

interface Columns {
  readonly width: number
  readonly label: { readonly name: string; readonly index: number }
  readonly features: ReadonlyArray<{ readonly name: string; readonly index: number }>
}

const chooseColumns = Effect.fnUntraced(function* (
  path: string,
  header: ReadonlyArray<string>,
  { label, like }: ReadOptions
): Effect.fn.Return<Columns, CsvError> {
  const twice = header.find((column, index) => header.indexOf(column) < index)
  if (twice !== undefined) return yield* new DuplicateColumn({ path, column: twice })
  const features = like?.columns ?? header.filter((column) => column !== label)
  if (features.length === 0) return yield* new EmptyFile({ path, missing: `columns besides "${label}"` })
  const wanted = [label, ...features]
  const absent = wanted.find((column) => !header.includes(column))
  if (absent !== undefined) return yield* new UnknownColumn({ path, column: absent, columns: header })
  const extra = header.find((column) => !wanted.includes(column))
  if (extra !== undefined) return yield* new UnexpectedColumn({ path, column: extra })
  const find = (name: string) => ({ name, index: header.indexOf(name) })
  return { width: header.length, label: find(label), features: features.map(find) }
})

const checkWidths = Effect.fnUntraced(function* (path: string, width: number, lines: ReadonlyArray<Line>) {
  const ragged = lines.find(({ cells }) => cells.length !== width)
  if (ragged === undefined) return
  return yield* new RaggedRow({ path, line: ragged.number, expected: width, found: ragged.cells.length })
})

const readFeatures = Effect.fnUntraced(function* (
  path: string,
  features: Columns["features"],
  lines: ReadonlyArray<Line>
) {
  const values = new Float32Array(lines.length * features.length)
  let position = 0
  for (const { cells, number: line } of lines) {
    for (const { index, name: column } of features) {
      const found = cells[index] ?? ""
      const value = parseNumber(found)
      if (value === undefined) return yield* new BadCell({ path, line, column, expected: "a number", found })
      values[position++] = value
    }
  }
  return values
})

const readClasses = Effect.fnUntraced(function* (
  path: string,
  { index, name: column }: Columns["label"],
  lines: ReadonlyArray<Line>
) {
  const values: Array<number> = []
  for (const { cells, number: line } of lines) {
    const found = cells[index] ?? ""
    const value = parseNumber(found)
    if (value === undefined || !Number.isSafeInteger(value)) {
      return yield* new BadCell({ path, line, column, expected: "an integer", found })
    }
    values.push(value)
  }
  return values
})

const toLabels = Effect.fnUntraced(function* (
  path: string,
  column: string,
  lines: ReadonlyArray<Line>,
  values: ReadonlyArray<number>,
  classes: ReadonlyArray<number>
) {
  const indexes = new Map(classes.map((value, index) => [value, index]))
  const labels = new Int32Array(values.length)
  for (const [row, { number: line }] of lines.entries()) {
    const found = values[row] ?? Number.NaN
    const label = indexes.get(found)
    if (label === undefined) {
      const expected = `one of the classes of the training data, ${classes.join(", ")}`
      return yield* new BadCell({ path, line, column, expected, found: String(found) })
    }
    labels[row] = label
  }
  return labels
})

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

// "", "0x10", "Infinity" and what overflows float32 are numbers to JavaScript, but not in a table
const parseNumber = (cell: string): number | undefined => {
  const value = Number(cell)
  return decimal.test(cell) && Number.isFinite(Math.fround(value)) ? value : undefined
}
