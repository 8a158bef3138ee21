/**
 * Reads the JSON header of a safetensors file from untrusted bytes.
 *
 * A header is a small part of JSON: an object of objects of strings and lists of integers. Only that part is read,
 * straight from the bytes: so each failure knows its offset, duplicate keys are seen (`JSON.parse` drops them), integers
 * are exact, nothing nests and nothing is held but the entries themselves.
 */
import { InvalidSafetensors, type LayoutFault } from "../SerializeError.ts"
import * as Dtypes from "./dtypes.ts"
import { quoted } from "./show.ts"

/** What the header says about one tensor; offsets count from the start of the data. */
export interface Info {
  readonly name: string
  readonly dtype: Dtypes.Dtype
  readonly shape: ReadonlyArray<number>
  readonly begin: number
  readonly end: number
  /** Where the entry stands in the file. */
  readonly at: number
}

/** A header as it was read, in its own order. */
export interface Header {
  readonly infos: ReadonlyArray<Info>
  readonly metadata: Readonly<Record<string, string>>
}

/** The largest rank that is read; NumPy and PyTorch stop at 64. */
const maxRank = 64

const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const byte = (character: string): number => character.charCodeAt(0)

interface Cursor {
  readonly bytes: Uint8Array
  readonly end: number
  position: number
  /** The tensor that is being read. */
  tensor: string | undefined
}

/** An error at an offset of the file. */
export const fault = (
  kind: LayoutFault,
  offset: number,
  tensor: string | undefined,
  expected: string,
  found: string
): InvalidSafetensors =>
  new InvalidSafetensors({ fault: kind, offset, expected, found, ...(tensor === undefined ? {} : { tensor }) })

const faultHere = (cursor: Cursor, kind: LayoutFault, expected: string, found = next(cursor)): InvalidSafetensors =>
  fault(kind, cursor.position, cursor.tensor, expected, found)

const next = ({ bytes, end, position }: Cursor): string => {
  if (position >= end) return "the end of the header"
  const code = bytes[position] ?? 0
  return code > 0x20 && code < 0x7f ? `'${String.fromCharCode(code)}'` : `byte 0x${code.toString(16).padStart(2, "0")}`
}

const isSpace = (code: number | undefined): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

const skipSpace = (cursor: Cursor): void => {
  while (cursor.position < cursor.end && isSpace(cursor.bytes[cursor.position])) cursor.position += 1
}

/** Steps over a character if it is next. */
const take = (cursor: Cursor, character: string): boolean => {
  skipSpace(cursor)
  if (cursor.position >= cursor.end || cursor.bytes[cursor.position] !== byte(character)) return false
  cursor.position += 1
  return true
}

const expectNext = (cursor: Cursor, character: string, kind: LayoutFault = "HeaderSyntax"): void => {
  if (!take(cursor, character)) throw faultHere(cursor, kind, `'${character}'`)
}

/** The offset of the quote that ends a string; `cursor` is behind the one that began it. */
const closingQuote = (cursor: Cursor): number => {
  let at = cursor.position
  while (at < cursor.end) {
    const code = cursor.bytes[at] ?? 0
    if (code === byte('"')) return at
    if (code < 0x20) {
      cursor.position = at
      throw faultHere(cursor, "HeaderSyntax", "a character of a string")
    }
    at += code === byte("\\") ? 2 : 1
  }
  cursor.position = cursor.end
  throw faultHere(cursor, "HeaderSyntax", "the end of a string")
}

const decoded = (cursor: Cursor, from: number, to: number): string => {
  try {
    return fatal.decode(cursor.bytes.subarray(from, to))
  } catch {
    throw fault("HeaderEncoding", from, cursor.tensor, "valid UTF-8", "bytes that are not")
  }
}

const unescaped = (cursor: Cursor, text: string, from: number): string => {
  if (!text.includes("\\")) return text
  let value: string
  try {
    value = JSON.parse(`"${text}"`) as string // a quoted JSON text is a string or does not parse
  } catch {
    throw fault("HeaderSyntax", from, cursor.tensor, "a JSON string", "an invalid escape")
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw fault("HeaderEncoding", from, cursor.tensor, "well-formed Unicode", "a lone surrogate")
  }
  return value
}

const readString = (cursor: Cursor, kind: LayoutFault = "HeaderSyntax"): string => {
  expectNext(cursor, '"', kind)
  const from = cursor.position
  const to = closingQuote(cursor)
  cursor.position = to + 1
  return unescaped(cursor, decoded(cursor, from, to), from)
}

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 0x30 && code <= 0x39

/** A non-negative integer in JSON's form: digits without a leading zero. */
const readInteger = (cursor: Cursor, kind: LayoutFault): number => {
  skipSpace(cursor)
  const from = cursor.position
  let value = 0
  while (cursor.position < cursor.end && isDigit(cursor.bytes[cursor.position])) {
    value = value * 10 + ((cursor.bytes[cursor.position] ?? 0) - 0x30)
    cursor.position += 1
  }
  const length = cursor.position - from
  const expected = "an integer from 0 to 2^53 − 1"
  if (length === 0) throw faultHere(cursor, kind, expected)
  if (!Number.isSafeInteger(value) || (length > 1 && cursor.bytes[from] === 0x30)) {
    throw fault(
      kind,
      from,
      cursor.tensor,
      expected,
      length > 20 ? `${length} digits` : decoded(cursor, from, cursor.position)
    )
  }
  return value
}

const readIntegers = (cursor: Cursor, kind: LayoutFault, limit: number): Array<number> => {
  const integers: Array<number> = []
  expectNext(cursor, "[", kind)
  if (take(cursor, "]")) return integers
  do {
    if (integers.length === limit) throw faultHere(cursor, kind, `at most ${limit} integers`, "more")
    integers.push(readInteger(cursor, kind))
  } while (take(cursor, ","))
  expectNext(cursor, "]", kind)
  return integers
}

/** Reads `{"key": value, …}`; `read` is called behind each colon, with the key and its offset. */
const readObject = (cursor: Cursor, kind: LayoutFault, read: (key: string, at: number) => void): void => {
  const seen = new Set<string>()
  expectNext(cursor, "{", kind)
  if (take(cursor, "}")) return
  do {
    skipSpace(cursor)
    const at = cursor.position
    const key = readString(cursor)
    if (seen.has(key)) throw fault("DuplicateName", at, cursor.tensor, "a name that did not occur before", quoted(key))
    if (key === "__proto__") throw fault("ForbiddenName", at, cursor.tensor, "a name other than __proto__", quoted(key))
    seen.add(key)
    expectNext(cursor, ":")
    read(key, at)
  } while (take(cursor, ","))
  expectNext(cursor, "}")
}

const readDtype = (cursor: Cursor): Dtypes.Dtype => {
  skipSpace(cursor)
  const at = cursor.position
  const name = readString(cursor, "UnknownDtype")
  if (Dtypes.isDtype(name)) return name
  throw fault("UnknownDtype", at, cursor.tensor, `one of ${Dtypes.names.join(", ")}`, quoted(name))
}

const readOffsets = (cursor: Cursor): readonly [begin: number, end: number] => {
  skipSpace(cursor)
  const at = cursor.position
  const [begin, end, ...more] = readIntegers(cursor, "InvalidOffsets", 3)
  if (begin === undefined || end === undefined || more.length > 0) {
    throw fault("InvalidOffsets", at, cursor.tensor, "two integers", "another number of them")
  }
  return [begin, end]
}

interface Fields {
  dtype?: Dtypes.Dtype
  shape?: ReadonlyArray<number>
  offsets?: readonly [begin: number, end: number]
}

const readFields = (cursor: Cursor): Fields => {
  const fields: Fields = {}
  readObject(cursor, "HeaderSyntax", (key, at) => {
    if (key === "dtype") fields.dtype = readDtype(cursor)
    else if (key === "shape") fields.shape = readIntegers(cursor, "InvalidShape", maxRank)
    else if (key === "data_offsets") fields.offsets = readOffsets(cursor)
    else throw fault("UnknownField", at, cursor.tensor, "dtype, shape or data_offsets", quoted(key))
  })
  return fields
}

const readInfo = (cursor: Cursor, name: string, at: number): Info => {
  cursor.tensor = name
  const { dtype, offsets, shape } = readFields(cursor)
  cursor.tensor = undefined
  const missing = (field: string) => fault("MissingField", at, name, field, "none")
  if (dtype === undefined) throw missing("a dtype")
  if (shape === undefined) throw missing("a shape")
  if (offsets === undefined) throw missing("data_offsets")
  return { name, dtype, shape, begin: offsets[0], end: offsets[1], at }
}

const readMetadata = (cursor: Cursor): Record<string, string> => {
  const metadata: Record<string, string> = {}
  readObject(cursor, "InvalidMetadata", (key) => {
    metadata[key] = readString(cursor, "InvalidMetadata")
  })
  return metadata
}

/** Reads the header that fills `bytes` from `start` to `end`. Throws `InvalidSafetensors`. */
export const readHeader = (bytes: Uint8Array, start: number, end: number): Header => {
  const cursor: Cursor = { bytes, end, position: start, tensor: undefined }
  const infos: Array<Info> = []
  let metadata: Record<string, string> = {}
  if (bytes[start] !== byte("{")) throw faultHere(cursor, "HeaderSyntax", "'{'")
  readObject(cursor, "HeaderSyntax", (key, at) => {
    if (key === "__metadata__") metadata = readMetadata(cursor)
    else infos.push(readInfo(cursor, key, at))
  })
  skipSpace(cursor)
  if (cursor.position < end) throw faultHere(cursor, "HeaderSyntax", "the end of the header")
  return { infos, metadata }
}
