/**
 * The element types a safetensors header may name, in the reference's order.
 *
 * The order is part of the layout: a writer puts wider types first, so that every tensor starts at a multiple of its
 * own element size. Rows are bits per element; types narrower than a byte are recognised so that their extent can be
 * checked, never read.
 */
const bits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64
} as const

/** The name of an element type in a safetensors header. */
export type Dtype = keyof typeof bits

/** Every element type, in increasing order of alignment. */
export const names = Object.keys(bits) as ReadonlyArray<Dtype> // the keys of a literal are exactly its names

/** Whether a string names an element type. */
export const isDtype = (name: string): name is Dtype => Object.hasOwn(bits, name)

/** The place of a type in the reference's order. */
export const rank = (dtype: Dtype): number => names.indexOf(dtype)

/** The number of elements of a shape, or `undefined` when it is no safe integer. */
const elements = (shape: ReadonlyArray<number>): number | undefined => {
  let count = 1
  for (const size of shape) {
    count *= size
    if (!Number.isSafeInteger(count)) return undefined
  }
  return count
}

/** The bytes a tensor occupies, or `undefined` when there is no such number (too large, or not whole). */
export const byteLength = (dtype: Dtype, shape: ReadonlyArray<number>): number | undefined => {
  const count = elements(shape)
  if (count === undefined) return undefined
  const length = (count * bits[dtype]) / 8
  return Number.isSafeInteger(length) ? length : undefined
}
