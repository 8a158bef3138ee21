/**
 * The meaning of every operation, spelled in tfjs ops: the reference that other executors are measured against.
 *
 * tfjs backends disagree at the edges (measured with tfjs 4.22: on wasm `maximum(1, NaN)` is 1, `sign(NaN)` and
 * `sign(1e-40)` are 0, a sum over nothing is uninitialised memory, a cast to bool keeps the byte, `neg` and `abs` take
 * int32 for float32, `where` on bool tensors writes beyond their end, transposing nothing is a trap; on cpu `pow(1,
 * NaN)` is NaN, a maximum over nothing is NaN, `abs` takes int32 for float32, a cast keeps the array of its argument,
 * and a mean divides before it adds). Where they do, the operation is composed from ops that agree: IEEE 754 semantics,
 * NaN propagates through minima and maxima, −0 < +0 there, empty reductions give their neutral element. int32
 * arithmetic wraps around; on cpu a product beyond 2⁵³ is not exact.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { DType, Op, Operation, ReduceOp, TensorSpec } from "../../Expr.ts"
import { sizeOf } from "../trace/shape.ts"

/** What an operation is given besides its arguments: its own attributes and the spec of its result. */
interface Context<O extends Op> extends TensorSpec {
  readonly operation: Extract<Operation, { readonly op: O }>
}

type Compute<O extends Op> = (args: ReadonlyArray<Tensor>, context: Context<O>) => Tensor

const one =
  (compute: (x: Tensor) => Tensor) =>
  ([x]: ReadonlyArray<Tensor>): Tensor =>
    compute(present(x))

const two =
  (compute: (a: Tensor, b: Tensor) => Tensor) =>
  ([a, b]: ReadonlyArray<Tensor>): Tensor =>
    compute(present(a), present(b))

const present = (x: Tensor | undefined): Tensor => {
  if (x === undefined) throw new Error("a verified program gives every operation its arguments")
  return x
}

const mutableShape = ({ shape }: Pick<TensorSpec, "shape">): Array<number> => [...shape]

const isNaN = (x: Tensor): Tensor => tf.notEqual(x, x)

const neg = (x: Tensor): Tensor => (x.dtype === "int32" ? tf.sub(tf.zerosLike(x), x) : tf.neg(x))

const abs = (x: Tensor): Tensor => (x.dtype === "int32" ? tf.where(tf.less(x, tf.zerosLike(x)), neg(x), x) : tf.abs(x))

// -0 + 0 = 0, the larger of both; other equal numbers are themselves; unequal or NaN: a wins if larger or NaN.
const maximum = (a: Tensor, b: Tensor): Tensor => {
  if (a.dtype === "int32") return tf.where(tf.greater(a, b), a, b)
  const tie = tf.where(tf.equal(a, tf.zerosLike(a)), tf.add(a, b), a)
  return tf.where(tf.equal(a, b), tie, tf.where(tf.logicalOr(tf.greater(a, b), isNaN(a)), a, b))
}

const minimum = (a: Tensor, b: Tensor): Tensor =>
  a.dtype === "int32" ? tf.where(tf.less(a, b), a, b) : tf.neg(maximum(tf.neg(a), tf.neg(b)))

const sign = (x: Tensor): Tensor => {
  const zero = tf.zerosLike(x)
  const one = tf.onesLike(x)
  return tf.where(tf.greater(x, zero), one, tf.where(tf.less(x, zero), neg(one), x))
}

// 1^y = 1 for every y, and (-1)^±∞ = 1, which JavaScript's power does not say.
const pow = (a: Tensor, b: Tensor): Tensor => {
  const unit = tf.equal(tf.abs(a), tf.onesLike(a))
  const endless = tf.equal(tf.abs(b), tf.fill(b.shape, Number.POSITIVE_INFINITY, b.dtype))
  const isOne = tf.logicalOr(tf.equal(a, tf.onesLike(a)), tf.logicalAnd(unit, endless))
  return tf.where(isOne, tf.onesLike(a), tf.pow(a, b))
}

const neutral: Record<ReduceOp, number> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY
}

/** The neutral element in a dtype; int32 has no infinities, but a least and a greatest number. */
const neutralIn = (op: ReduceOp, dtype: DType): number =>
  dtype === "int32" ? Math.min(Math.max(neutral[op], -(2 ** 31)), 2 ** 31 - 1) : neutral[op]

interface Reduction extends TensorSpec {
  readonly operation: { readonly axes: ReadonlyArray<number> }
}

const reduction =
  (op: ReduceOp, reduce: (x: Tensor, axes: Array<number>) => Tensor) =>
  ([x]: ReadonlyArray<Tensor>, context: Reduction): Tensor =>
    present(x).size === 0
      ? tf.fill(mutableShape(context), neutralIn(op, context.dtype), context.dtype)
      : reduce(present(x), [...context.operation.axes])

/** Of zeros +0 if there is one: where 0 is the largest, only +0 has a reciprocal above it. */
const largest = (x: Tensor, axes: Array<number>): Tensor => {
  const extreme = tf.max(x, axes)
  if (x.dtype !== "float32") return extreme
  const zero = tf.zerosLike(extreme)
  const positive = tf.greater(tf.max(tf.div(tf.onesLike(x), x), axes), zero)
  return tf.where(tf.equal(extreme, zero), tf.where(positive, zero, tf.neg(zero)), extreme)
}

const smallest = (x: Tensor, axes: Array<number>): Tensor =>
  x.dtype === "float32" ? tf.neg(largest(tf.neg(x), axes)) : tf.min(x, axes)

/** Moves elements to their places; without elements there is nothing to move. */
const moved =
  <O extends Op>(move: (x: Tensor, context: Context<O>) => Tensor): Compute<O> =>
  ([x], context) =>
    sizeOf(context.shape) === 0 ? tf.fill(mutableShape(context), 0, context.dtype) : move(present(x), context)

// A sum is a new array of its own dtype.
const cast = (x: Tensor, { dtype }: Context<"cast">): Tensor =>
  dtype === "bool" ? tf.notEqual(x, tf.zerosLike(x)) : tf.add(tf.cast(x, dtype), tf.scalar(0, dtype))

const select = (condition: Tensor, a: Tensor, b: Tensor): Tensor =>
  a.dtype === "bool"
    ? tf.logicalOr(tf.logicalAnd(condition, a), tf.logicalAnd(tf.logicalNot(condition), b))
    : tf.where(condition, a, b)

const unreachable = (): Tensor => {
  throw new Error("inputs, fills and random numbers have no tensors to compute from")
}

/** One row per operation; inputs, fills and random numbers are made by the executor itself. */
export const operations: { readonly [O in Op]: Compute<O> } = {
  input: unreachable,
  fill: unreachable,
  normal: unreachable,
  neg: one(neg),
  abs: one(abs),
  sqrt: one(tf.sqrt),
  exp: one(tf.exp),
  log: one(tf.log),
  tanh: one(tf.tanh),
  sign: one(sign),
  floor: one(tf.floor),
  not: one(tf.logicalNot),
  add: two(tf.add),
  sub: two(tf.sub),
  mul: two(tf.mul),
  div: two(tf.div),
  pow: two(pow),
  maximum: two(maximum),
  minimum: two(minimum),
  less: two(tf.less),
  lessEqual: two(tf.lessEqual),
  greater: two(tf.greater),
  greaterEqual: two(tf.greaterEqual),
  equal: two(tf.equal),
  notEqual: two(tf.notEqual),
  and: two(tf.logicalAnd),
  or: two(tf.logicalOr),
  select: ([condition, a, b], context) =>
    sizeOf(context.shape) === 0
      ? tf.fill(mutableShape(context), 0, context.dtype)
      : select(present(condition), present(a), present(b)),
  cast: ([x], context) => cast(present(x), context),
  reshape: moved((x, context) => tf.reshape(x, mutableShape(context))),
  broadcast: moved((x, context) => tf.broadcastTo(x, mutableShape(context))),
  concat: (parts, context) =>
    sizeOf(context.shape) === 0
      ? tf.fill(mutableShape(context), 0, context.dtype)
      : tf.concat(
          parts.filter(({ size }) => size > 0),
          0
        ),
  slice: moved((x, { operation, shape }) =>
    tf.slice(
      x,
      shape.map((_, axis) => (axis === 0 ? operation.start : 0)),
      mutableShape({ shape })
    )
  ),
  transpose: moved((x, { operation }) => tf.transpose(x, [...operation.permutation])),
  sum: reduction("sum", (x, axes) => tf.sum(x, axes)),
  max: reduction("max", largest),
  min: reduction("min", smallest),
  matMul: ([a, b], context) =>
    present(a).size === 0 || present(b).size === 0
      ? tf.fill(mutableShape(context), 0)
      : tf.matMul(present(a), present(b))
}
