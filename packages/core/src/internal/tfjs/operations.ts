/**
 * The meaning of every operation, spelled in tfjs ops: the reference that other executors are measured against.
 *
 * tfjs backends disagree at the edges (measured with tfjs 4.22: on wasm `maximum(1, NaN)` is 1, `sign(NaN)` and
 * `sign(1e-40)` are 0, a sum over nothing is uninitialised memory, a cast to bool keeps the byte; on cpu `pow(1, NaN)`
 * is NaN and a maximum over nothing is NaN). Where they do, the operation is composed from ops that agree: IEEE 754
 * semantics, NaN propagates through minimum and maximum, −0 < +0 there, empty reductions give their neutral element.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Op, Operation, ReduceOp, TensorSpec } from "../../Expr.ts"
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

const mutableShape = ({ shape }: TensorSpec): Array<number> => [...shape]

const isNaN = (x: Tensor): Tensor => tf.notEqual(x, x)

// -0 + 0 = 0, the larger of both; other equal numbers are themselves; unequal or NaN: a wins if larger or NaN.
const maximum = (a: Tensor, b: Tensor): Tensor => {
  const tie = tf.where(tf.equal(a, tf.zerosLike(a)), tf.add(a, b), a)
  return tf.where(tf.equal(a, b), tie, tf.where(tf.logicalOr(tf.greater(a, b), isNaN(a)), a, b))
}

const sign = (x: Tensor): Tensor => {
  const zero = tf.zerosLike(x)
  const one = tf.onesLike(x)
  return tf.where(tf.greater(x, zero), one, tf.where(tf.less(x, zero), tf.neg(one), x))
}

// 1^y = 1 for every y, and (-1)^±∞ = 1, which JavaScript's power does not say.
const pow = (a: Tensor, b: Tensor): Tensor => {
  const unit = tf.equal(tf.abs(a), tf.onesLike(a))
  const endless = tf.equal(tf.abs(b), tf.fill(b.shape, Number.POSITIVE_INFINITY, b.dtype))
  const isOne = tf.logicalOr(tf.equal(a, tf.onesLike(a)), tf.logicalAnd(unit, endless))
  return tf.where(isOne, tf.onesLike(a), tf.pow(a, b))
}

const comparable = (x: Tensor): Tensor => (x.dtype === "bool" ? tf.cast(x, "int32") : x)

const comparison = (compute: (a: Tensor, b: Tensor) => Tensor) => two((a, b) => compute(comparable(a), comparable(b)))

const neutral: Record<ReduceOp, number> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  mean: Number.NaN
}

interface Reduction extends TensorSpec {
  readonly operation: { readonly axes: ReadonlyArray<number> }
}

const reduction =
  (op: ReduceOp, reduce: (x: Tensor, axes: Array<number>) => Tensor) =>
  ([x]: ReadonlyArray<Tensor>, context: Reduction): Tensor =>
    present(x).size === 0
      ? tf.fill(mutableShape(context), neutral[op], context.dtype)
      : reduce(present(x), [...context.operation.axes])

const extremum =
  (reduce: (x: Tensor, axes: Array<number>) => Tensor) =>
  (x: Tensor, axes: Array<number>): Tensor => {
    const extreme = reduce(x, axes)
    if (x.dtype !== "float32") return extreme
    const nans = tf.sum(tf.cast(isNaN(x), "float32"), axes)
    return tf.where(tf.greater(nans, tf.zerosLike(nans)), tf.fill(extreme.shape, Number.NaN), extreme)
  }

const broadcast: Compute<"broadcast"> = (args, context) =>
  sizeOf(context.shape) === 0
    ? tf.fill(mutableShape(context), 0, context.dtype)
    : tf.broadcastTo(present(args[0]), mutableShape(context))

const cast = (x: Tensor, context: Context<"cast">): Tensor =>
  context.dtype === "bool" ? tf.notEqual(x, tf.zerosLike(x)) : tf.cast(x, context.dtype)

const unreachable = (): Tensor => {
  throw new Error("inputs and fills have no arguments to compute from")
}

/** One row per operation; inputs and fills are made by the executor itself. */
export const operations: { readonly [O in Op]: Compute<O> } = {
  input: unreachable,
  fill: unreachable,
  neg: one(tf.neg),
  abs: one(tf.abs),
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
  minimum: two((a, b) => tf.neg(maximum(tf.neg(a), tf.neg(b)))),
  less: comparison(tf.less),
  lessEqual: comparison(tf.lessEqual),
  greater: comparison(tf.greater),
  greaterEqual: comparison(tf.greaterEqual),
  equal: comparison(tf.equal),
  notEqual: comparison(tf.notEqual),
  and: two(tf.logicalAnd),
  or: two(tf.logicalOr),
  select: ([condition, a, b]) => tf.where(present(condition), present(a), present(b)),
  cast: ([x], context) => cast(present(x), context),
  reshape: ([x], context) => tf.reshape(present(x), mutableShape(context)),
  broadcast,
  transpose: ([x], { operation }) => tf.transpose(present(x), [...operation.permutation]),
  sum: reduction("sum", (x, axes) => tf.sum(x, axes)),
  mean: reduction("mean", (x, axes) => tf.mean(x, axes)),
  max: reduction(
    "max",
    extremum((x, axes) => tf.max(x, axes))
  ),
  min: reduction(
    "min",
    extremum((x, axes) => tf.min(x, axes))
  ),
  matMul: ([a, b], context) =>
    present(a).size === 0 || present(b).size === 0
      ? tf.fill(mutableShape(context), 0)
      : tf.matMul(present(a), present(b))
}
