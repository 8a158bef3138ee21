/**
 * What counts as a tensor, told without loading tfjs.
 */
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"

/** A tensor of tfjs, from whatever copy of it. */
export const isTensor = (value: unknown): value is Tensor =>
  hasProperty(value, "dataId") &&
  hasProperty(value, "shape") &&
  hasProperty(value, "dtype") &&
  hasProperty(value, "isDisposed")

/** A typed array of numbers. */
export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView) &&
  !(value instanceof BigInt64Array) &&
  !(value instanceof BigUint64Array)
