/**
 * The safetensors layout: named tensors and string metadata in one run of bytes.
 *
 *     8 bytes   length of the header, little-endian
 *     header    JSON: {"__metadata__": {…}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
 *     data      the tensors' elements, little-endian and row-major, without gaps
 *
 * Pure: bytes in, values out. `decode` trusts nothing, allocates nothing in proportion to what a header *claims*, and
 * hands out views into its input. Which tensors make up an optimizer state is decided in `Checkpoint`.
 *
 * Source: https://github.com/huggingface/safetensors, whose writer gives the same bytes for the same tensors.
 */
import type { HostTensor } from "@optim/core/Tensors"
import { bytesOf, elementsOf } from "./internal/bytes.ts"
import type * as Dtypes from "./internal/dtypes.ts"
import * as Floats from "./internal/floats.ts"
import { fault, readHeader } from "./internal/headerReader.ts"
import { pieces } from "./internal/headerWriter.ts"
import { inLayoutOrder } from "./internal/layout.ts"
import { InvalidBool, UnsupportedDtype } from "./SerializeError.ts"

/** The name of an element type in the layout, `F32` for example. */
export type Dtype = Dtypes.Dtype

/** A named tensor in the layout: `bytes` are its elements, little-endian and row-major. */
export interface Entry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: ReadonlyArray<number>
  readonly bytes: Uint8Array
}

/** What a file holds: its tensors, and free text under string keys. */
export interface Safetensors {
  readonly tensors: ReadonlyArray<Entry>
  readonly metadata: Readonly<Record<string, string>>
}

/** The largest header that `decode` reads unless told otherwise: 100 MB, as the reference has it. */
export const maxHeaderBytes = 100_000_000

const prefixLength = 8

/**
 * The pieces of a file, in order: the header with its length, then the bytes of each tensor (not copied).
 *
 * For writing without a second copy of everything in memory. Throws `InvalidEntry`, as `encode` does.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const w = Safetensors.fromHost("w", { shape: [2], data: Float32Array.of(1, -2) })
 * const [header, data] = Safetensors.chunks({ tensors: [w] })
 * assert.ok(header !== undefined && header.length % 8 === 0) // so that the data is aligned
 * assert.strictEqual(data, w.bytes)
 * ```
 */
export const chunks = (self: {
  readonly tensors: ReadonlyArray<Entry>
  readonly metadata?: Readonly<Record<string, string>> | undefined
}): ReadonlyArray<Uint8Array> => pieces(self.tensors, self.metadata ?? {})

/**
 * Tensors and metadata as the bytes of a safetensors file.
 *
 * The order of `tensors` does not matter: wider element types come first, then names in code point order, and the header
 * is padded so that each tensor is aligned to its elements. Equal contents give equal bytes.
 *
 * Throws `InvalidEntry` for a name that occurs twice or cannot be written, and for bytes that do not fit dtype and shape.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const w = Safetensors.fromHost("w", { shape: [2], data: Float32Array.of(1, -2) })
 * const b = Safetensors.fromHost("b", { shape: [], data: Float32Array.of(0.5) })
 * assert.deepStrictEqual(Safetensors.encode({ tensors: [w, b] }), Safetensors.encode({ tensors: [b, w] }))
 * ```
 */
export const encode = (self: {
  readonly tensors: ReadonlyArray<Entry>
  readonly metadata?: Readonly<Record<string, string>> | undefined
}): Uint8Array => concat(chunks(self))

/**
 * The pieces of a file put together.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const file = { tensors: [Safetensors.fromHost("w", { shape: [1], data: Int32Array.of(7) })] }
 * assert.deepStrictEqual(Safetensors.concat(Safetensors.chunks(file)), Safetensors.encode(file))
 * ```
 */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const file = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    file.set(part, offset)
    offset += part.byteLength
  }
  return file
}

/** Where the header ends. */
const headerEnd = (bytes: Uint8Array, limit: number): number => {
  const truncated = (expected: string, at: number) => fault("Truncated", at, undefined, expected, `${bytes.length}`)
  if (bytes.length < prefixLength) throw truncated("at least 8 bytes", bytes.length)
  const length = new DataView(bytes.buffer, bytes.byteOffset, prefixLength).getBigUint64(0, true)
  if (length > BigInt(limit)) {
    const rest = bytes.length - prefixLength
    if (length > BigInt(rest)) {
      throw fault("HeaderLength", 0, undefined, `the length of a header, at most ${rest}`, `${length}`)
    }
    throw fault("HeaderTooLarge", 0, undefined, `a header of at most ${limit} bytes`, `${length}`)
  }
  const end = prefixLength + Number(length)
  if (end > bytes.length) throw truncated(`at least ${end} bytes`, bytes.length)
  return end
}

/**
 * The tensors and metadata in the bytes of a safetensors file, in the order of their data.
 *
 * The bytes may come from anywhere: each way in which they are not a sound file is an `InvalidSafetensors` that names the
 * offset and the tensor. `bytes` of the entries are views into the input, so decoding copies nothing; do not write to the
 * input afterwards. `maxHeaderBytes` (100 MB unless given) bounds what is read as a header.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const w = Safetensors.fromHost("w", { shape: [2], data: Float32Array.of(1, -2) })
 * const file = Safetensors.encode({ tensors: [w], metadata: { note: "first" } })
 * assert.deepStrictEqual(Safetensors.decode(file).metadata, { note: "first" })
 * assert.throws(() => Safetensors.decode(file.subarray(0, 20)), { _tag: "InvalidSafetensors", fault: "Truncated" })
 * ```
 */
export const decode = (bytes: Uint8Array, options?: { readonly maxHeaderBytes?: number | undefined }): Safetensors => {
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) // plain, also when given a Buffer
  const end = headerEnd(file, options?.maxHeaderBytes ?? maxHeaderBytes)
  const { infos, metadata } = readHeader(file, prefixLength, end)
  const tensors = inLayoutOrder(infos, end, file.length - end).map(({ begin, dtype, end: stop, name, shape }) => ({
    name,
    dtype,
    shape,
    bytes: file.subarray(end + begin, end + stop)
  }))
  return { tensors, metadata }
}

const dtypeOf = (data: HostTensor["data"]): Dtype => {
  if (data instanceof Float32Array) return "F32"
  return data instanceof Int32Array ? "I32" : "BOOL"
}

/**
 * An entry from numbers on the host: F32, I32 or BOOL by the kind of the array (a `Uint8Array` holds bools, as in tfjs).
 *
 * The bytes are a view of `data`. That their number fits the shape is checked when the entry is written.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const mask = Safetensors.fromHost("mask", { shape: [2], data: Uint8Array.of(1, 0) })
 * assert.deepStrictEqual(mask, { name: "mask", dtype: "BOOL", shape: [2], bytes: Uint8Array.of(1, 0) })
 * ```
 */
export const fromHost = (name: string, { data, shape }: HostTensor): Entry => ({
  name,
  dtype: dtypeOf(data),
  shape,
  bytes: bytesOf(data, data.BYTES_PER_ELEMENT)
})

const bools = (tensor: string, data: Uint8Array): Uint8Array => {
  const index = data.findIndex((value) => value > 1)
  if (index >= 0) throw new InvalidBool({ tensor, index, value: data[index] ?? 0 })
  return data
}

/**
 * The numbers of an F32, I32 or BOOL tensor, bit for bit. A view of its bytes where they are aligned, else a copy.
 *
 * Throws `UnsupportedDtype` for other types (see `toFloat32`) and `InvalidBool` for a bool that is neither 0 nor 1.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const data = Float32Array.of(-0, Infinity)
 * const entry = Safetensors.fromHost("w", { shape: [2], data })
 * assert.strictEqual(Safetensors.toHost(entry).data.buffer, data.buffer)
 * assert.throws(() => Safetensors.toHost({ ...entry, dtype: "U32" }), { _tag: "UnsupportedDtype" })
 * ```
 */
export const toHost = ({ bytes, dtype, name, shape }: Entry): HostTensor => {
  switch (dtype) {
    case "F32":
      return { shape, data: elementsOf(Float32Array, bytes) }
    case "I32":
      return { shape, data: elementsOf(Int32Array, bytes) }
    case "BOOL":
      return { shape, data: bools(name, bytes) }
    default: {
      const supported = ["F32", "I32", "BOOL"]
      throw new UnsupportedDtype({ operation: "Safetensors.toHost", tensor: name, dtype, supported })
    }
  }
}

/**
 * A floating-point tensor as float32: F16 and BF16 exactly, F64 rounded to nearest, F32 as it is.
 *
 * Throws `UnsupportedDtype` for types that are not floating-point numbers.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Safetensors } from "@optim/serialize"
 *
 * const halves = { name: "w", dtype: "F16", shape: [2], bytes: Uint8Array.of(0x00, 0x3c, 0x00, 0xc1) } as const
 * assert.deepStrictEqual(Safetensors.toFloat32(halves).data, Float32Array.of(1, -2.5))
 * ```
 */
export const toFloat32 = ({ bytes, dtype, name, shape }: Entry): HostTensor => {
  switch (dtype) {
    case "F32":
      return { shape, data: elementsOf(Float32Array, bytes) }
    case "F16":
      return { shape, data: Floats.fromF16(bytes) }
    case "BF16":
      return { shape, data: Floats.fromBF16(bytes) }
    case "F64":
      return { shape, data: Floats.fromF64(bytes) }
    default: {
      const supported = ["F32", "F16", "BF16", "F64"]
      throw new UnsupportedDtype({ operation: "Safetensors.toFloat32", tensor: name, dtype, supported })
    }
  }
}
