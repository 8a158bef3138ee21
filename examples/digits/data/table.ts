/**
 * Tables: labelled rows of numbers, as every part of the example passes them on.
 */

/** Rows of numbers, each with the class that it belongs to. */
export interface Table {
  /** rows × columns numbers, row by row. */
  readonly features: Float32Array
  /** One index into `classes` per row. */
  readonly labels: Int32Array
  readonly rows: number
  /** The names of the feature columns. */
  readonly columns: ReadonlyArray<string>
  /** The values that the labels stand for, ascending. */
  readonly classes: ReadonlyArray<number>
}

/** The rows with the given indexes, in that order. */
export const select = (table: Table, indexes: ReadonlyArray<number>): Table => {
  const width = table.columns.length
  const features = new Float32Array(indexes.length * width)
  const labels = new Int32Array(indexes.length)
  for (const [row, index] of indexes.entries()) {
    features.set(table.features.subarray(index * width, (index + 1) * width), row * width)
    labels[row] = table.labels[index] ?? 0
  }
  return { ...table, features, labels, rows: indexes.length }
}
