/**
 * Untrusted text in messages: quoted, without control characters, cut when long.
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
