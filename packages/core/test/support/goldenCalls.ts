/** Records of plain function calls, made by the reference: arguments and options as ours, and what came out. */
import { assert } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { deviation, type Deviation, toTensors } from "./golden.ts"

export interface CallRecord {
  readonly id: string
  readonly name: string
  readonly args: { readonly [name: string]: unknown }
  readonly kwargs: { readonly [name: string]: unknown }
  readonly output: unknown
  readonly extra: { readonly f32: Deviation; readonly grad_of_sum?: { readonly value: unknown } }
}

export const callRecords = (json: string): ReadonlyArray<CallRecord> => JSON.parse(json).records

/** A name of the reference in our spelling. */
export const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Keyword arguments as options, with tensors made by `convert`. */
export const optionsOf = (
  { kwargs }: CallRecord,
  convert: (name: string, value: unknown) => unknown
): { readonly [name: string]: unknown } =>
  Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [camel(name), convert(name, value)]))

/** An array or number of a record in a dtype. */
export const toTensor = (value: unknown, dtype: "float32" | "int32" | "bool"): Tensor => {
  const floats = toTensors(value) as Tensor
  return dtype === "float32" ? floats : dtype === "int32" ? tf.cast(floats, dtype) : tf.notEqual(floats, 0)
}

interface Exception {
  /** How many times the deviation of the reference is allowed; otherwise ten. */
  readonly factor: number
  readonly reason: string
}

/** Records that some backend misses, by its name and theirs. */
const exceptions: { readonly [record: string]: Exception } = {
  "webgl: projection_simplex/5": {
    factor: 20,
    reason:
      "an element of 0.012 is left of a difference of numbers around 3, whose last place is 2.4e-7, 1.9e-5 of the " +
      "element: a quotient that is not correctly rounded, which GLSL allows, moves it by such a place"
  }
}

/**
 * Asserts that numbers are as near as ten times a deviation; what is not finite has to be the same. `slack` is what a
 * backend's functions may be off, as a part of a number or of 1, whichever is larger.
 */
export const assertNear = (
  found: ReadonlyArray<number>,
  expected: ReadonlyArray<number>,
  bound: Deviation,
  what: string,
  slack = 0
): void => {
  const factor = exceptions[what]?.factor ?? 10
  assert.strictEqual(found.length, expected.length, what)
  const isNear = (x: number, y: number): boolean =>
    Object.is(x, y) || Math.abs(x - y) < slack * Math.max(1, Math.abs(y))
  const differing = expected.flatMap((value, index) => (isNear(found[index] ?? Number.NaN, value) ? [] : [index]))
  const pick = (values: ReadonlyArray<number>) => differing.map((index) => values[index] ?? Number.NaN)
  const { max_abs, max_rel } = deviation(pick(found), pick(expected))
  assert.isAtMost(max_abs, factor * bound.max_abs, `${what}: absolute`)
  assert.isAtMost(max_rel, factor * bound.max_rel, `${what}: relative`)
}
