/**
 * Normalization: every feature column brought to a common scale, by what the training rows are like.
 *
 * The scaling is data, so that it can be kept beside the parameters that were trained under it. Test rows are scaled
 * with the numbers of the training rows, never with their own.
 */
import * as Schema from "effect/Schema"
import type { Table } from "./table.ts"

/** `(x − offset) · scale` for each column. */
export const Normalizer = Schema.Struct({
  offset: Schema.Array(Schema.Finite),
  scale: Schema.Array(Schema.Finite)
})

export type Normalizer = typeof Normalizer.Type

/** A normalizer was made for another number of columns. */
export class ColumnMismatch extends Schema.TaggedError<ColumnMismatch>()("ColumnMismatch", {
  expected: Schema.Int,
  found: Schema.Int
}) {
  override get message(): string {
    return `the normalizer is for ${this.expected} feature columns, the table has ${this.found}`
  }
}

/** How far the values of a column reach, and where they lie. */
interface Statistics {
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  readonly deviation: number
}

/** The two ways of scaling: each gives the offset and the width that becomes 1. */
const methods = {
  /** The training rows fill [0, 1]. */
  range: ({ maximum, minimum }: Statistics) => ({ offset: minimum, width: maximum - minimum }),
  /** The training rows have mean 0 and standard deviation 1. */
  standard: ({ deviation, mean }: Statistics) => ({ offset: mean, width: deviation })
}

export type Method = keyof typeof methods

/**
 * The scaling that suits the rows of a table. A column that is constant there teaches nothing and becomes 0
 * everywhere, whatever other tables hold in it.
 */
export const fit = (table: Table, method: Method): Normalizer => {
  const columns = table.columns.map((_, column) => {
    const statistics = statisticsOf(table, column)
    const { offset, width } = methods[method](statistics)
    const constant = statistics.minimum === statistics.maximum || width === 0
    return { offset, scale: constant ? 0 : 1 / width }
  })
  return { offset: columns.map(({ offset }) => offset), scale: columns.map(({ scale }) => scale) }
}

/** The table with its features scaled. Throws `ColumnMismatch` when it has another number of columns. */
export const apply = (table: Table, { offset, scale }: Normalizer): Table => {
  const width = table.columns.length
  if (offset.length !== width) throw new ColumnMismatch({ expected: offset.length, found: width })
  const features = table.features.map((value, index) => {
    const column = index % width
    return (value - (offset[column] ?? 0)) * (scale[column] ?? 0)
  })
  return { ...table, features }
}

const statisticsOf = ({ columns, features, rows }: Table, column: number): Statistics => {
  const values = Array.from({ length: rows }, (_, row) => features[row * columns.length + column] ?? 0)
  const mean = values.reduce((sum, value) => sum + value, 0) / rows
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows
  const minimum = values.reduce((low, value) => Math.min(low, value))
  const maximum = values.reduce((high, value) => Math.max(high, value))
  return { minimum, maximum, mean, deviation: Math.sqrt(variance) }
}
