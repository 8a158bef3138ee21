/**
 * Floating-point types that tfjs does not have, converted to float32.
 *
 * F16 and BF16 fit exactly; F64 is rounded to nearest. NaNs stay NaN (their payload may change).
 */
import { elementsOf } from "./bytes.ts"

/** The value of 16 bits in IEEE 754 binary16. */
export const halfToNumber = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Binary16 bytes as float32. */
export const fromF16 = (bytes: Uint8Array): Float32Array =>
  Float32Array.from(elementsOf(Uint16Array, bytes), halfToNumber)

/** Bfloat16 bytes as float32: the upper half of its bits. */
export const fromBF16 = (bytes: Uint8Array): Float32Array =>
  new Float32Array(Uint32Array.from(elementsOf(Uint16Array, bytes), (upper) => upper << 16).buffer)

/** Binary64 bytes as float32, rounded to nearest. */
export const fromF64 = (bytes: Uint8Array): Float32Array => Float32Array.from(elementsOf(Float64Array, bytes))
