/**
 * The axes along which a loss is computed, checked and brought to the end.
 *
 * So words know one axis, the last. tfjs would transpose within each reduction anyway, and would lose what it has
 * transposed when there is no memory for the result.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidHyperParameter, TensorMismatch } from "../../OptimError.ts"
import { describe } from "./arguments.ts"

/** One axis, several, or with null all of them; negative ones count from the end. */
export type Axes = number | ReadonlyArray<number> | null

/** Axes from 0 on, in the order in which they were given; throws `InvalidHyperParameter`. */
export const axesOf = (operation: string, axis: Axes, rank: number): ReadonlyArray<number> => {
  const given = axis === null ? Array.from({ length: rank }, (_, index) => index) : [axis].flat()
  const axes = given.map((one) => (one < 0 ? one + rank : one))
  const valid = axes.every((one) => Number.isInteger(one) && one >= 0 && one < rank)
  if (valid && new Set(axes).size === axes.length) return axes
  throw new InvalidHyperParameter({
    optimizer: operation,
    parameter: "axis",
    value: JSON.stringify(axis),
    expected: `different axes of a tensor of rank ${rank}, from ${-rank} to ${rank - 1}`
  })
}

/** The sizes of the other axes. */
export const without = (shape: ReadonlyArray<number>, axes: ReadonlyArray<number>): Array<number> =>
  shape.filter((_, axis) => !axes.includes(axis))

/** Throws `TensorMismatch` if there is nothing to reduce: tfjs' sums over nothing are not 0 on every backend. */
export const checkReducible = (operation: string, name: string, x: Tensor, axes: ReadonlyArray<number>): void => {
  if (axes.every((axis) => x.shape[axis] !== 0)) return
  const fault = { path: name, expected: `elements along axis ${axes.join(", ")}`, found: describe(x) }
  throw new TensorMismatch({ operation, faults: [fault], remedy: "A loss of nothing is not defined." })
}

/** The axes as one, the last, laid out flat in the order given. */
export const rowsAlong = (x: Tensor, axes: ReadonlyArray<number>): Tensor => {
  const others = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
  const permutation = [...others, ...axes]
  const ordered = permutation.every((from, to) => from === to) || x.size === 0 ? x : tf.transpose(x, permutation)
  const size = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1)
  return tf.reshape(ordered, [...without(x.shape, axes), size])
}
