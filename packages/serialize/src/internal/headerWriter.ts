/**
 * Writes the header of a safetensors file as the reference does: wider element types first, then by name in code point
 * order, no spaces but the padding that puts the data at a multiple of eight bytes. The same tensors always give the
 * same bytes.
 */
import { InvalidEntry } from "../SerializeError.ts"
import * as Dtypes from "./dtypes.ts"
import { shape as showShape, quoted } from "./show.ts"

/** What is written about one tensor. */
export interface Described {
  readonly name: string
  readonly dtype: Dtypes.Dtype
  readonly shape: ReadonlyArray<number>
  readonly bytes: Uint8Array
}

const prefixLength = 8

/** Compares strings by code points, as their UTF-8 bytes compare. */
export const byCodePoint = (a: string, b: string): number => {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) {
    const difference = (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** The order of tensors in a file. */
export const inFileOrder = (a: Described, b: Described): number =>
  Dtypes.rank(b.dtype) - Dtypes.rank(a.dtype) || byCodePoint(a.name, b.name)

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

const invalid = (entry: string, expected: string, found: string): InvalidEntry =>
  new InvalidEntry({ entry, expected, found })

const checkTensor = ({ bytes, dtype, name, shape }: Described): void => {
  if (name === "__metadata__" || name === "__proto__") throw invalid(name, "another name", quoted(name))
  if (!isWellFormed(name)) throw invalid(name, "a well-formed name", "a lone surrogate")
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw invalid(name, "a shape of non-negative integers", showShape(shape))
  }
  const length = Dtypes.byteLength(dtype, shape)
  if (length !== bytes.byteLength) {
    throw invalid(name, `${length ?? "too many"} bytes for ${dtype} ${showShape(shape)}`, `${bytes.byteLength}`)
  }
}

const checkNames = (tensors: ReadonlyArray<Described>): void => {
  const seen = new Set<string>()
  for (const { name } of tensors) {
    if (seen.has(name)) throw invalid(name, "a name that is used once", "a second tensor of that name")
    seen.add(name)
  }
}

const checkMetadata = (metadata: Readonly<Record<string, string>>): void => {
  for (const [key, value] of Object.entries(metadata)) {
    if (key === "__proto__") throw invalid(key, "another metadata key", quoted(key))
    if (typeof value !== "string") throw invalid(key, "metadata that is a string", typeof value)
    if (!isWellFormed(key) || !isWellFormed(value)) throw invalid(key, "well-formed metadata", "a lone surrogate")
  }
}

const metadataEntry = (metadata: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const entries = Object.entries(metadata).toSorted(([a], [b]) => byCodePoint(a, b))
  const members = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
  return members.length === 0 ? [] : [`"__metadata__":{${members.join(",")}}`]
}

const tensorEntries = (tensors: ReadonlyArray<Described>): ReadonlyArray<string> => {
  let offset = 0
  return tensors.map(({ bytes, dtype, name, shape }) => {
    const begin = offset
    offset += bytes.byteLength
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, offset] })}`
  })
}

const padded = (json: string): Uint8Array => {
  const text = new TextEncoder().encode(json)
  const length = Math.ceil(text.length / prefixLength) * prefixLength
  const header = new Uint8Array(prefixLength + length).fill(0x20)
  header.set(text, prefixLength)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  return header
}

/** Throws `InvalidEntry` for tensors and metadata that cannot be written, or not be read again. */
export const check = (tensors: ReadonlyArray<Described>, metadata: Readonly<Record<string, string>>): void => {
  tensors.forEach(checkTensor)
  checkNames(tensors)
  checkMetadata(metadata)
}

/** The pieces of a file, in order: its header with the length before it, then the bytes of each tensor. Throws `InvalidEntry`. */
export const pieces = (
  tensors: ReadonlyArray<Described>,
  metadata: Readonly<Record<string, string>>
): ReadonlyArray<Uint8Array> => {
  check(tensors, metadata)
  const ordered = tensors.toSorted(inFileOrder)
  const header = padded(`{${[...metadataEntry(metadata), ...tensorEntries(ordered)].join(",")}}`)
  return [header, ...ordered.map(({ bytes }) => bytes)]
}
