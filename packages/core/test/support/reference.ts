/**
 * The meaning of every operation in plain JavaScript, written without tfjs and without the library's own executor.
 *
 * Elementwise float32 arithmetic is float64 arithmetic rounded once, which is exact for + − × ÷ √. Sums are taken in
 * float64; what an order of their own may cost is `magnitude`, the sum of the absolute terms.
 */
import type { Expr, Program } from "@optim/core"

export type Data = Float32Array | Int32Array | Uint8Array

export interface Value extends Expr.TensorSpec {
  readonly data: Data
}

/** What sums are made of: how many terms, and for each element Σ|x| of the finite terms. */
export interface Sums {
  readonly terms: number
  readonly magnitudes: ReadonlyArray<number>
}

/** A value, and if it is one of sums, those. */
export interface Expected extends Value {
  readonly sums?: Sums
}

export const sizeOf = (shape: Expr.Shape): number => shape.reduce((product, size) => product * size, 1)

/** Numbers in a dtype: rounded to float32, modulo 2³² without a fraction for int32, 0 or 1 for bool. */
export const dataOf = (dtype: Expr.DType, numbers: ReadonlyArray<number>): Data => {
  if (dtype === "float32") return Float32Array.from(numbers)
  return dtype === "int32" ? Int32Array.from(numbers) : Uint8Array.from(numbers, (x) => (x === 0 ? 0 : 1))
}

const value = (spec: Expr.TensorSpec, numbers: ReadonlyArray<number>): Value => ({
  shape: spec.shape,
  dtype: spec.dtype,
  data: dataOf(spec.dtype, numbers)
})

// --- element by element ------------------------------------------------------------------------------------------

const unary: { readonly [O in Expr.UnaryOp]: (x: number) => number } = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sign: Math.sign,
  floor: Math.floor,
  not: (x) => (x === 0 ? 1 : 0)
}

// IEEE 754: 1^y is 1 for every y, and so is (−1)^±∞.
const pow = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b

const binary: { readonly [O in Expr.BinaryOp | Expr.CompareOp]: (a: number, b: number) => number | boolean } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow,
  minimum: Math.min,
  maximum: Math.max,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  and: (a, b) => a !== 0 && b !== 0,
  or: (a, b) => a !== 0 || b !== 0
}

/** The element at a position; a scalar is the same everywhere. */
const at = ({ data, shape }: Value, index: number): number => data[shape.length === 0 ? 0 : index] ?? Number.NaN

const elements = (spec: Expr.TensorSpec, compute: (index: number) => number | boolean): Value =>
  value(
    spec,
    Array.from({ length: sizeOf(spec.shape) }, (_, index) => Number(compute(index)))
  )

// --- positions ---------------------------------------------------------------------------------------------------

/** The coordinates of a position in row-major order. */
const coordinates = (index: number, shape: Expr.Shape): ReadonlyArray<number> =>
  shape.reduceRight<{ readonly rest: number; readonly at: ReadonlyArray<number> }>(
    ({ at, rest }, size) => ({ rest: Math.floor(rest / size), at: [rest % size, ...at] }),
    { rest: index, at: [] }
  ).at

const position = (at: ReadonlyArray<number>, shape: Expr.Shape): number =>
  shape.reduce((index, size, axis) => index * size + (at[axis] ?? 0), 0)

const broadcast = (x: Value, spec: Expr.TensorSpec): Value => {
  const missing = spec.shape.length - x.shape.length
  return elements(spec, (index) => {
    const from = coordinates(index, spec.shape).slice(missing)
    const source = from.map((at, axis) => (x.shape[axis] === 1 ? 0 : at))
    return at(x, position(source, x.shape))
  })
}

const transpose = (x: Value, spec: Expr.TensorSpec, permutation: ReadonlyArray<number>): Value =>
  elements(spec, (index) => {
    const to = coordinates(index, spec.shape)
    const source = x.shape.map((_, axis) => to[permutation.indexOf(axis)] ?? 0)
    return at(x, position(source, x.shape))
  })

/** Row-major arrays that differ in the first axis stand one behind the other. */
const concat = (parts: ReadonlyArray<Value>, spec: Expr.TensorSpec): Value =>
  value(
    spec,
    parts.flatMap(({ data }) => [...data])
  )

const slice = (x: Value, spec: Expr.TensorSpec, start: number): Value => {
  const row = sizeOf(x.shape.slice(1))
  return elements(spec, (index) => at({ ...x, shape: [x.data.length] }, start * row + index))
}

// --- many to one -------------------------------------------------------------------------------------------------

/** For each element of a reduction the numbers that go into it. */
const groups = (x: Value, shape: Expr.Shape, axes: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> => {
  const result = Array.from({ length: sizeOf(shape) }, (): Array<number> => [])
  x.data.forEach((element, index) => {
    const kept = coordinates(index, x.shape).filter((_, axis) => !axes.includes(axis))
    result[position(kept, shape)]?.push(element)
  })
  return result
}

const finite = (x: number): number => (Number.isFinite(x) ? Math.abs(x) : 0)

const total = (terms: ReadonlyArray<number>): number => terms.reduce((a, b) => a + b, 0)

const summed = (spec: Expr.TensorSpec, terms: ReadonlyArray<ReadonlyArray<number>>): Expected => ({
  ...value(
    spec,
    terms.map((group) => Math.fround(total(group)))
  ),
  sums: { terms: terms[0]?.length ?? 0, magnitudes: terms.map((group) => total(group.map(finite))) }
})

const least = (dtype: Expr.DType): number => (dtype === "int32" ? -(2 ** 31) : Number.NEGATIVE_INFINITY)
const greatest = (dtype: Expr.DType): number => (dtype === "int32" ? 2 ** 31 - 1 : Number.POSITIVE_INFINITY)

const reduce = (x: Value, spec: Expr.TensorSpec, op: Expr.ReduceOp, axes: ReadonlyArray<number>): Expected => {
  const terms = groups(x, spec.shape, axes)
  const { dtype } = spec
  switch (op) {
    case "sum":
      return dtype === "float32" ? summed(spec, terms) : value(spec, terms.map(total))
    case "max":
      return value(
        spec,
        terms.map((group) => Math.max(least(dtype), ...group))
      )
    case "min":
      return value(
        spec,
        terms.map((group) => Math.min(greatest(dtype), ...group))
      )
  }
}

const matMul = (a: Value, b: Value, spec: Expr.TensorSpec): Expected => {
  const [, k = 0] = a.shape
  const [rows = 0, columns = 0] = spec.shape
  const products = (row: number, column: number) =>
    Array.from({ length: k }, (_, inner) => at(a, row * k + inner) * at(b, inner * columns + column))
  return summed(
    spec,
    Array.from({ length: rows * columns }, (_, index) => products(Math.floor(index / columns), index % columns))
  )
}

// --- nodes -------------------------------------------------------------------------------------------------------

/** What a node gives for its arguments; inputs have no arguments to compute from. */
export const evaluate = ({ dtype, operation, shape }: Program.Node, args: ReadonlyArray<Value>): Expected => {
  const [a, b, c] = args
  const spec = { shape, dtype }
  if (a === undefined) throw new Error(`${operation.op} has no arguments`)
  if (operation.op in unary) return elements(spec, (index) => unary[operation.op as Expr.UnaryOp](at(a, index)))
  if (b !== undefined && operation.op in binary)
    return elements(spec, (index) => binary[operation.op as Expr.BinaryOp](at(a, index), at(b, index)))
  switch (operation.op) {
    case "fill":
    case "reshape":
    case "cast":
      return elements(spec, (index) => at(a, index))
    case "select":
      return elements(spec, (index) => at(at(a, index) === 0 ? (c ?? a) : (b ?? a), index))
    case "broadcast":
      return broadcast(a, spec)
    case "transpose":
      return transpose(a, spec, operation.permutation)
    case "sum":
    case "max":
    case "min":
      return reduce(a, spec, operation.op, operation.axes)
    case "concat":
      return concat(args, spec)
    case "slice":
      return slice(a, spec, operation.start)
    case "matMul":
      return matMul(a, b ?? a, spec)
    default:
      throw new Error(`${operation.op} is not computed from arguments`)
  }
}
