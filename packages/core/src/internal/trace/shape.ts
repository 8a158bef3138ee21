/**
 * Shape rules of expressions: which shape a word gives, and why it cannot.
 *
 * All throw `InvalidExpression` with the shapes involved; the tracer adds the leaf.
 */
import type { DType, Shape, TensorSpec } from "../../Expr.ts"
import { InvalidExpression } from "../../OptimError.ts"

const fail = (operation: string, detail: string): never => {
  throw new InvalidExpression({ operation, detail })
}

const print = (shape: Shape): string => `[${shape.join(", ")}]`

/** The same sizes. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a === b || (a.length === b.length && a.every((size, axis) => size === b[axis]))

/** The number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** How a tensor is named in messages: `float32 [2, 3]`. */
export const printSpec = ({ dtype, shape }: TensorSpec): string => `${dtype} ${print(shape)}`

/** The one dtype of all operands. */
export const compareDType = (op: string, operands: ReadonlyArray<TensorSpec>): DType => {
  const dtype = operands[0]?.dtype ?? "float32"
  const other = operands.find((operand) => operand.dtype !== dtype)
  return other === undefined ? dtype : fail(op, `dtypes differ: ${dtype} and ${other.dtype}; cast one of them`)
}

const stretches = (from: Shape, to: Shape): boolean => {
  const missing = to.length - from.length
  return missing >= 0 && from.every((size, axis) => size === to[axis + missing] || size === 1)
}

/** The common shape: all equal, or of shape []; with `stretch`, the first stretched to the second. */
export const broadcastShape = (op: string, operands: ReadonlyArray<TensorSpec>, stretch = false): Shape => {
  if (stretch) {
    const [from = [], to = []] = operands.map(({ shape }) => shape)
    return stretches(from, to) ? to : fail(op, `${print(from)} does not stretch to ${print(to)}`)
  }
  const shape = operands.find((operand) => operand.shape.length > 0)?.shape ?? []
  const other = operands.find((operand) => operand.shape.length > 0 && !sameShape(operand.shape, shape))
  return other === undefined
    ? shape
    : fail(op, `shapes differ: ${print(shape)} and ${print(other.shape)}; use broadcastTo`)
}

/** The shape itself if it holds as many elements. */
export const reshapeShape = (from: Shape, to: Shape): Shape =>
  sizeOf(from) === sizeOf(to)
    ? to
    : fail("reshape", `${print(from)} has ${sizeOf(from)} elements, ${print(to)} has ${sizeOf(to)}`)

/** The shape with its axes in the order of the permutation. */
export const transposedShape = (shape: Shape, permutation: ReadonlyArray<number>): Shape => {
  const sorted = permutation.toSorted((a, b) => a - b)
  const valid = permutation.length === shape.length && sorted.every((axis, index) => axis === index)
  return valid
    ? permutation.map((axis) => shape[axis] ?? 1)
    : fail("transpose", `[${permutation.join(", ")}] does not permute the axes of ${print(shape)}`)
}

/** The axes of a reduction (sorted, each once), the shape without them, and the shape with them as 1. */
export const reducedShape = (
  op: string,
  shape: Shape,
  axes: ReadonlyArray<number> = shape.map((_, axis) => axis)
): { readonly axes: ReadonlyArray<number>; readonly shape: Shape; readonly kept: Shape } => {
  const normal = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)))
  const wrong = axes.find((axis) => !Number.isInteger(axis) || axis < -shape.length || axis >= shape.length)
  if (wrong !== undefined) fail(op, `axis ${wrong} is not an axis of ${print(shape)}`)
  return {
    axes: [...normal].toSorted((a, b) => a - b),
    shape: shape.filter((_, axis) => !normal.has(axis)),
    kept: shape.map((size, axis) => (normal.has(axis) ? 1 : size))
  }
}

/** [n, k] × [k, m] → [n, m]. */
export const matMulShape = (a: Shape, b: Shape): Shape => {
  const [n = 0, k] = a
  const [l, m = 0] = b
  const fits = a.length === 2 && b.length === 2 && k === l
  return fits ? [n, m] : fail("matMul", `${print(a)} × ${print(b)} is not a product of matrices`)
}

/** [n, …], [m, …], … → [n + m + …, …]. */
export const concatShape = (parts: ReadonlyArray<TensorSpec>): Shape => {
  const [first, ...others] = parts.map(({ shape }) => shape)
  if (first === undefined || first.length === 0) return fail("concat", "needs tensors with at least one axis")
  const rest = first.slice(1)
  const odd = others.find((shape) => shape.length !== first.length || !sameShape(shape.slice(1), rest))
  return odd === undefined
    ? [parts.reduce((total, { shape }) => total + (shape[0] ?? 0), 0), ...rest]
    : fail("concat", `${print(first)} and ${print(odd)} differ beyond the first axis`)
}

/** [n, …] → [size, …]. */
export const slicedShape = (shape: Shape, start: number, size: number): Shape => {
  const [n, ...rest] = shape
  const fits = n !== undefined && [start, size].every((x) => Number.isInteger(x) && x >= 0) && start + size <= n
  return fits ? [size, ...rest] : fail("slice", `${print(shape)} has no elements ${start} to ${start + size}`)
}
