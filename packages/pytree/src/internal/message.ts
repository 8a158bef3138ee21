/**
 * The form of an error message: what went wrong, where, and what to do.
 */

/** One line of a message: where, what should be there, what is. */
export interface Row {
  readonly path: string
  readonly expected: string
  readonly found: string
}

/** cells wider than this are not aligned, or one long path would push all others out of sight */
const widest = 60

const width = (cells: ReadonlyArray<string>): number => {
  let width = 0
  for (const cell of cells) if (cell.length <= widest) width = Math.max(width, cell.length)
  return width
}

/** A headline, aligned lines such as `['b']   expected a leaf   found nothing`, and a hint. */
export const message = (headline: string, rows: ReadonlyArray<Row>, hint: string): string => {
  const paths = width(rows.map((row) => row.path))
  const expected = width(rows.map((row) => row.expected))
  const lines = rows.map(
    (row) => `  ${row.path.padEnd(paths)}   expected ${row.expected.padEnd(expected)}   found ${row.found}`
  )
  return [headline, ...lines, hint].join("\n")
}
