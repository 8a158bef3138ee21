/**
 * Faults as aligned lines: path, what was expected, what was found.
 *
 * The one place that lays out leaves in error messages, so that all messages of the house read alike.
 */
const root = "(root)"

const widest = (words: ReadonlyArray<string>): number => words.reduce((width, word) => Math.max(width, word.length), 0)

/** One line per fault, columns aligned, two spaces of indent. */
export const faultTable = (
  faults: ReadonlyArray<{ readonly path: string; readonly expected: string; readonly found: string }>
): ReadonlyArray<string> => {
  const paths = faults.map(({ path }) => (path === "" ? root : path))
  const pathWidth = widest(paths)
  const expectedWidth = widest(faults.map(({ expected }) => expected))
  return faults.map(
    ({ expected, found }, index) =>
      `  ${(paths[index] ?? "").padEnd(pathWidth)}   expected ${expected.padEnd(expectedWidth)}   found ${found}`
  )
}
