/**
 * How things look in messages: faults as aligned lines; untrusted text quoted, without control characters, cut when long.
 */
const longest = 80

/** A string as it may stand in a message. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text)

/** A file as it stands in a message: its path in full, since what tells files apart is at the end. */
export const fileName = (path: string): string => JSON.stringify(path)

/** A shape as it stands in a message. */
export const shape = (dims: ReadonlyArray<number>): string => `[${dims.join(", ")}]`

/** The sentence part that says where in a file something is. */
export const place = (offset: number, tensor: string | undefined): string =>
  tensor === undefined ? `byte ${offset}` : `byte ${offset}, tensor ${quoted(tensor)}`

/** One difference: where, what is expected there, what was found. */
export interface Fault {
  readonly path: string
  readonly expected: string
  readonly found: string
}

const widestCell = 200

const mostRows = 1000

const escaped = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Text from a file or from the user, fit for a line: no control characters, not longer than a cell. */
const cell = (text: string): string => {
  const line = text.length > widestCell ? `${text.slice(0, widestCell)}…` : text
  return line.replaceAll(/\p{Cc}/gu, escaped)
}

const row = ({ expected, found, path }: Fault): Fault => ({
  path: path === "" ? "(root)" : cell(path),
  expected: cell(expected),
  found: cell(found)
})

const widest = (words: ReadonlyArray<string>): number => words.reduce((width, { length }) => Math.max(width, length), 0)

/** One line per fault, columns aligned; of very many, the first thousand (or so many) and how many more there are. */
export const table = (faults: ReadonlyArray<Fault>, most = mostRows): ReadonlyArray<string> => {
  const rows = faults.slice(0, most).map(row)
  const pathWidth = widest(rows.map(({ path }) => path))
  const expectedWidth = widest(rows.map(({ expected }) => expected))
  const lines = rows.map(
    ({ expected, found, path }) =>
      `  ${path.padEnd(pathWidth)}   expected ${expected.padEnd(expectedWidth)}   found ${found}`
  )
  return faults.length > most ? [...lines, `  and ${faults.length - most} more`] : lines
}
