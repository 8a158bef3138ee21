/**
 * How things look in messages: faults as aligned lines; untrusted text quoted, without control characters, cut when long.
 */
const longest = 80

/** A string as it may stand in a message. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text)

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

const widest = (words: ReadonlyArray<string>): number => words.reduce((width, { length }) => Math.max(width, length), 0)

/** One line per fault, columns aligned. */
export const table = (faults: ReadonlyArray<Fault>): ReadonlyArray<string> => {
  const rows = faults.map((fault) => ({ ...fault, path: fault.path === "" ? "(root)" : fault.path }))
  const pathWidth = widest(rows.map(({ path }) => path))
  const expectedWidth = widest(rows.map(({ expected }) => expected))
  return rows.map(
    ({ expected, found, path }) =>
      `  ${path.padEnd(pathWidth)}   expected ${expected.padEnd(expectedWidth)}   found ${found}`
  )
}
