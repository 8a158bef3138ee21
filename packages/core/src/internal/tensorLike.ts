/**
 * What counts as a tensor, told without loading tfjs.
 */
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core"

/** A tensor of tfjs, from whatever copy of it. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" &&
  value !== null &&
  "dataId" in value &&
  "shape" in value &&
  "dtype" in value &&
  "isDisposed" in value

/** A typed array of numbers. */
export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView) &&
  !(value instanceof BigInt64Array) &&
  !(value instanceof BigUint64Array)
