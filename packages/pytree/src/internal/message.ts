/** One line of an error: where, what should be there, what is. */
export interface Row {
  readonly path: string
  readonly expected: string
  readonly found: string
}

/** columns wider than this are not aligned, or one long path would push all others out of sight */
const widest = 60

const width = (cells: ReadonlyArray<string>): number => {
  let width = 0
  for (const cell of cells) if (cell.length <= widest) width = Math.max(width, cell.length)
  return width
}

/** Rows as aligned lines: `['b']   expected a leaf   found nothing`. */
export const table = (rows: ReadonlyArray<Row>): string => {
  const paths = width(rows.map((row) => row.path))
  const expected = width(rows.map((row) => row.expected))
  return rows
    .map((row) => `  ${row.path.padEnd(paths)}   expected ${row.expected.padEnd(expected)}   found ${row.found}`)
    .join("\n")
}
