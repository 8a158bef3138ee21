/**
 * Expressions: symbolic tensors, the language in which updates are written.
 *
 * A word (`add`, `sqrt`, `ema`, …) applied to expressions makes a node of a graph and computes nothing; the graph of a
 * whole update is traced once into a `Program`. Every node knows its shape and dtype, and a mistake is found while
 * tracing. Words are functions, so a rule reads in the order of its paper; applied to scalars and numbers only, they
 * make scalars. Shapes must agree: only a scalar, or an expression of shape [], goes with any shape. What makes no sense
 * throws `InvalidExpression`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Program, Scalar } from "@optim/core"
 *
 * // The bias-corrected mean of gradients, where they are not zero.
 * const spec = { shape: [2, 3], dtype: "float32" } as const
 * const [g, m] = [Expr.input(0, spec), Expr.input(1, spec)]
 * const step = Scalar.input("step", 0)
 * const mean = Expr.div(Expr.ema(0.9, m, g), Expr.debias(0.9, step))
 * const masked = Expr.where(Expr.notEqual(g, 0), mean, 0)
 *
 * assert.deepStrictEqual([masked.shape, masked.dtype], [[2, 3], "float32"])
 * assert.deepStrictEqual(Expr.sum(masked, { axes: [0] }).shape, [3])
 * assert.strictEqual(Scalar.evaluate(Expr.debias(0.5, step), [1]), 0.75) // 1 − 0.5²
 * assert.deepStrictEqual(Program.verify(Program.make([spec, spec], [masked])), [])
 * ```
 */
import {
  broadcastShape,
  compareDType,
  concatShape,
  matMulShape,
  printSpec,
  reducedShape,
  reshapeShape,
  sameShape,
  sizeOf,
  slicedShape,
  transposedShape
} from "./internal/trace/shape.ts"
import { InvalidExpression } from "./OptimError.ts"
import * as Scalar from "./Scalar.ts"

/** The element types of tensors: those of tfjs that optimizers compute with. */
export type DType = "float32" | "int32" | "bool"

/** Sizes of the axes, outermost first; [] is one number. */
export type Shape = ReadonlyArray<number>

/** Shape and dtype of a tensor. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

/** One argument and one result of the same shape, element by element. */
export type UnaryOp = "neg" | "abs" | "sqrt" | "exp" | "log" | "tanh" | "sign" | "floor" | "not"

/** Two arguments of one shape, element by element. */
export type BinaryOp = "add" | "sub" | "mul" | "div" | "pow" | "minimum" | "maximum"

/** Two arguments of one shape, a bool for each element. */
export type CompareOp = "less" | "lessEqual" | "greater" | "greaterEqual" | "equal" | "notEqual" | "and" | "or"

/** One argument and fewer axes. */
export type ReduceOp = "sum" | "max" | "min"

/** What a node computes, with what it needs to know besides its arguments. */
export type Operation =
  | { readonly op: "input"; readonly index: number }
  | { readonly op: "fill" }
  | { readonly op: UnaryOp }
  | { readonly op: BinaryOp }
  | { readonly op: CompareOp }
  | { readonly op: "select" }
  | { readonly op: "cast" }
  | { readonly op: "reshape" }
  | { readonly op: "broadcast" }
  | { readonly op: "transpose"; readonly permutation: ReadonlyArray<number> }
  | { readonly op: ReduceOp; readonly axes: ReadonlyArray<number> }
  | { readonly op: "matMul" }
  | { readonly op: "concat" }
  | { readonly op: "slice"; readonly start: number }
  | { readonly op: "normal" }

/** The names of all operations. */
export type Op = Operation["op"]

/** A symbolic tensor: an operation on other expressions and scalars, of known shape and dtype. */
export class Expr implements TensorSpec {
  readonly operation: Operation
  readonly args: ReadonlyArray<Expr | Scalar.Scalar>
  readonly shape: Shape
  readonly dtype: DType

  constructor(operation: Operation, args: ReadonlyArray<Expr | Scalar.Scalar>, spec: TensorSpec) {
    this.operation = operation
    this.args = args
    this.shape = spec.shape
    this.dtype = spec.dtype
  }

  /** The operation and what it gives; a symbolic tensor is a leaf of trees, whatever it consists of. */
  toString(): string {
    return `Expr(${this.operation.op}: ${printSpec(this)})`
  }
}

/** What the host knows: a number or a scalar. */
export type Host = number | Scalar.Scalar

/** What a word takes: an expression, or a number of the host. */
export type Operand = Expr | Host

const isExpr = (operand: Operand): operand is Expr => operand instanceof Expr

const toScalar = (host: Host): Scalar.Scalar => (typeof host === "number" ? Scalar.constant(host) : host)

const invalid = (operation: string, detail: string): InvalidExpression => new InvalidExpression({ operation, detail })

/** The symbolic tensor that stands for the input at a position. */
export const input = (index: number, spec: TensorSpec): Expr => new Expr({ op: "input", index }, [], spec)

/** A tensor of one value. */
export const full = (spec: TensorSpec, value: Host): Expr => new Expr({ op: "fill" }, [toScalar(value)], spec)

/** Zeros of the shape and dtype of `like`. */
export const zerosLike = (like: TensorSpec): Expr => full({ shape: like.shape, dtype: like.dtype }, 0)

/** A tensor of the shape and dtype of `like`, filled with one value. */
export const fullLike = (like: TensorSpec, value: Host): Expr => full({ shape: like.shape, dtype: like.dtype }, value)

// --- element by element ------------------------------------------------------------------------------------------

interface Unary {
  (x: Host): Scalar.Scalar
  (x: Expr): Expr
  (x: Operand): Expr | Scalar.Scalar
}

const unary = (op: UnaryOp, compute: (x: number) => number, accepted = numeric): Unary => {
  const host: Scalar.Compute = (x = Number.NaN) => compute(x)
  const word = (x: Operand) =>
    isExpr(x) ? new Expr({ op }, [accepted(op, x)], x) : Scalar.apply(op, host, toScalar(x))
  // One implementation for the three signatures: which is taken depends on the argument alone.
  return word as Unary
}

const numeric = <X extends TensorSpec>(op: string, x: X): X => {
  if (x.dtype === "bool") throw invalid(op, "a bool tensor has no arithmetic; cast it first")
  return x
}

/** What leads out of the integers is for float32 alone. */
const fractional = <X extends TensorSpec>(op: string, x: X): X => {
  if (x.dtype !== "float32") throw invalid(op, `expected float32, found ${x.dtype}; cast it first`)
  return x
}

interface Binary {
  (a: Host, b: Host): Scalar.Scalar
  (a: Expr, b: Operand): Expr
  (a: Operand, b: Expr): Expr
  (a: Operand, b: Operand): Expr | Scalar.Scalar
}

/** Both arguments, each an expression of the common shape or a scalar. */
const aligned = (
  op: string,
  operands: ReadonlyArray<Operand>
): { args: Array<Expr | Scalar.Scalar>; spec: TensorSpec } => {
  const exprs = operands.filter(isExpr)
  const dtype = compareDType(op, exprs)
  const shape = broadcastShape(op, exprs)
  const spread = (operand: Operand) => (isExpr(operand) ? broadcastTo(operand, shape) : toScalar(operand))
  return { args: operands.map(spread), spec: { shape, dtype } }
}

const binary = (op: BinaryOp, compute: (a: number, b: number) => number, accepted = numeric): Binary => {
  const host: Scalar.Compute = (a = Number.NaN, b = Number.NaN) => compute(a, b)
  const word = (a: Operand, b: Operand) => {
    if (!isExpr(a) && !isExpr(b)) return Scalar.apply(op, host, toScalar(a), toScalar(b))
    const { args, spec } = aligned(op, [a, b])
    return new Expr({ op }, args, accepted(op, spec))
  }
  // One implementation for the four signatures: which is taken depends on the arguments alone.
  return word as Binary
}

/** −x. */
export const neg = unary("neg", (x) => -x)
/** |x|. */
export const abs = unary("abs", Math.abs)
/** √x. */
export const sqrt = unary("sqrt", Math.sqrt, fractional)
/** eˣ. */
export const exp = unary("exp", Math.exp, fractional)
/** The natural logarithm. */
export const log = unary("log", Math.log, fractional)
/** The hyperbolic tangent. */
export const tanh = unary("tanh", Math.tanh, fractional)
/** −1, 0 or 1. */
export const sign = unary("sign", Math.sign)
/** The largest integer not above x. */
export const floor = unary("floor", Math.floor, fractional)

/** a + b. */
export const add = binary("add", (a, b) => a + b)
/** a − b. */
export const sub = binary("sub", (a, b) => a - b)

const product = binary("mul", (a, b) => a * b)

/** A product with a scalar, as the scalar and the tensor. */
const scaled = ({ args: [a, b], dtype, operation }: Expr): readonly [Scalar.Scalar, Expr] | undefined => {
  if (operation.op !== "mul" || dtype !== "float32" || a === undefined || b === undefined) return undefined
  if (a instanceof Expr) return b instanceof Expr ? undefined : [b, a]
  return b instanceof Expr ? [a, b] : undefined
}

const isNormal = (x: number): boolean => Math.abs(x) >= 2 ** -126 && Number.isFinite(Math.fround(x))

/** Are both factors known, and numbers of float32 in full precision, while their product is none? */
const leavesRange = ({ definition: a }: Scalar.Scalar, { definition: b }: Scalar.Scalar): boolean =>
  a._tag === "Constant" &&
  b._tag === "Constant" &&
  isNormal(a.value) &&
  isNormal(b.value) &&
  !isNormal(a.value * b.value)

const scale = (x: Expr, by: Scalar.Scalar): Expr | undefined => {
  const [factor, tensor] = scaled(x) ?? []
  if (factor === undefined || tensor === undefined || leavesRange(factor, by)) return undefined
  return product(product(by, factor), tensor)
}

/**
 * a · b.
 *
 * Scalars gather before they meet a tensor: `s·(s'·x)` is `(s·s')·x`, with the product of the scalars formed in float64
 * on the host and rounded once, for float32. So `rate·(m / c)` costs one multiplication for each element and two
 * roundings instead of four. The product has the range of float32, like any scalar: beyond 3.4e38 it is infinite, beneath
 * 1e-38 it loses digits and in the end is zero, also where one step after the other would have led back into the range.
 * Two constants of such a product stay apart; of scalars that depend on the step nobody can tell beforehand.
 */
export const mul = ((a: Operand, b: Operand) =>
  (isExpr(a) && !isExpr(b) ? scale(a, toScalar(b)) : isExpr(b) && !isExpr(a) ? scale(b, toScalar(a)) : undefined) ??
  product(a, b)) as Binary
/** a ^ b. */
export const pow = binary("pow", (a, b) => a ** b, fractional)
/** The smaller of both; NaN if one is. */
export const minimum = binary("minimum", Math.min)
/** The larger of both; NaN if one is. */
export const maximum = binary("maximum", Math.max)

const quotient = binary("div", (a, b) => a / b, fractional)

/**
 * a / b.
 *
 * A tensor divided by a scalar is multiplied by its reciprocal, formed in float64 and rounded once: a rule keeps the
 * order of its paper and pays one true division less. For float32; integers divide by casting first.
 */
export const div = ((a: Operand, b: Operand) =>
  isExpr(a) && !isExpr(b) ? mul(fractional("div", a), quotient(1, b)) : quotient(a, b)) as Binary

/** x². */
export const square = ((x: Operand) => mul(x, x)) as Unary

// --- comparing and choosing --------------------------------------------------------------------------------------

type Compare = (a: Operand, b: Operand) => Expr

const compare =
  (op: CompareOp): Compare =>
  (a, b) => {
    if (!isExpr(a) && !isExpr(b)) throw invalid(op, "needs at least one tensor; compare numbers in a schedule instead")
    const { args, spec } = aligned(op, [a, b])
    return new Expr({ op }, args, { shape: spec.shape, dtype: "bool" })
  }

/** a < b, a bool for each element. */
export const less = compare("less")
/** a ≤ b. */
export const lessEqual = compare("lessEqual")
/** a > b. */
export const greater = compare("greater")
/** a ≥ b. */
export const greaterEqual = compare("greaterEqual")
/** a = b. */
export const equal = compare("equal")
/** a ≠ b. */
export const notEqual = compare("notEqual")

const logical =
  (op: "and" | "or") =>
  (a: Expr, b: Expr): Expr => {
    const { args, spec } = aligned(op, [a, b])
    if (spec.dtype !== "bool") throw invalid(op, `expected bool tensors, found ${spec.dtype}`)
    return new Expr({ op }, args, spec)
  }

/** Both, for bool tensors. */
export const and = logical("and")
/** Either, for bool tensors. */
export const or = logical("or")
/** The opposite, for bool tensors. */
export const not = (x: Expr): Expr => {
  if (x.dtype !== "bool") throw invalid("not", `expected a bool tensor, found ${x.dtype}`)
  return new Expr({ op: "not" }, [x], x)
}

/** `a` where the condition holds, `b` elsewhere; what is not chosen does not matter, not even NaN. */
export const where = (condition: Expr, a: Operand, b: Operand): Expr => {
  if (condition.dtype !== "bool") throw invalid("where", `the condition is ${condition.dtype}, expected bool`)
  const values = [a, b].filter(isExpr)
  const dtype = values.length === 0 ? "float32" : compareDType("where", values)
  const shape = broadcastShape("where", [condition, ...values])
  const spread = (operand: Operand) => (isExpr(operand) ? broadcastTo(operand, shape) : toScalar(operand))
  return new Expr({ op: "select" }, [broadcastTo(condition, shape), spread(a), spread(b)], { shape, dtype })
}

/** The same numbers in another dtype; bool becomes 0 and 1, float32 to int32 cuts towards zero. */
export const cast = (x: Expr, dtype: DType): Expr =>
  x.dtype === dtype ? x : new Expr({ op: "cast" }, [x], { shape: x.shape, dtype })

// --- shapes ------------------------------------------------------------------------------------------------------

/** The same elements in row-major order under another shape of the same size. */
export const reshape = (x: Expr, shape: Shape): Expr =>
  sameShape(x.shape, shape)
    ? x
    : new Expr({ op: "reshape" }, [x], { shape: reshapeShape(x.shape, shape), dtype: x.dtype })

/** Axes of size 1, and missing leading axes, repeated until the shape is reached. */
export const broadcastTo = (x: Expr, shape: Shape): Expr => {
  if (sameShape(x.shape, shape)) return x
  return new Expr({ op: "broadcast" }, [x], {
    shape: broadcastShape("broadcastTo", [x, { shape, dtype: x.dtype }], true),
    dtype: x.dtype
  })
}

/** Tensors one behind the other along their first axis; the other sizes agree. */
export const concat = (parts: ReadonlyArray<Expr>): Expr => {
  const dtype = compareDType("concat", parts)
  return new Expr({ op: "concat" }, parts, { shape: concatShape(parts), dtype })
}

/** `size` elements of the first axis, from `start` on. */
export const slice = (x: Expr, start: number, size: number): Expr =>
  new Expr({ op: "slice", start }, [x], { shape: slicedShape(x.shape, start, size), dtype: x.dtype })

/** The axes in another order; without a permutation, reversed. */
export const transpose = (
  x: Expr,
  permutation: ReadonlyArray<number> = x.shape.map((_, axis) => x.shape.length - 1 - axis)
): Expr =>
  new Expr({ op: "transpose", permutation }, [x], { shape: transposedShape(x.shape, permutation), dtype: x.dtype })

// --- reductions --------------------------------------------------------------------------------------------------

/** Which axes a reduction takes away; all of them when left out. Negative axes count from the end. */
export interface ReduceOptions {
  readonly axes?: ReadonlyArray<number> | undefined
  readonly keepDims?: boolean | undefined
}

const reduction =
  (op: ReduceOp) =>
  (x: Expr, options: ReduceOptions = {}): Expr => {
    numeric(op, x)
    const { axes, kept, shape } = reducedShape(op, x.shape, options.axes)
    const reduced = axes.length === 0 ? x : new Expr({ op, axes }, [x], { shape, dtype: x.dtype })
    return options.keepDims === true ? reshape(reduced, kept) : reduced
  }

/** Σ over axes; 0 over nothing. */
export const sum = reduction("sum")
/** The largest over axes; −∞ over nothing. */
export const max = reduction("max")
/** The smallest over axes; +∞ over nothing. */
export const min = reduction("min")
/**
 * The arithmetic mean over axes, for float32: the sum, divided once by the number of its terms. NaN over nothing.
 */
export const mean = (x: Expr, options: ReduceOptions = {}): Expr => {
  const { axes } = reducedShape("mean", fractional("mean", x).shape, options.axes)
  const terms = sizeOf(axes.map((axis) => x.shape[axis] ?? 1))
  const total = sum(x, options)
  return axes.length === 0 ? total : quotient(total, fullLike(total, terms))
}

/** The matrix product of [n, k] and [k, m]. */
export const matMul = (a: Expr, b: Expr): Expr => {
  compareDType("matMul", [a, b])
  fractional("matMul", a)
  return new Expr({ op: "matMul" }, [a, b], { shape: matMulShape(a.shape, b.shape), dtype: "float32" })
}

// --- random numbers ----------------------------------------------------------------------------------------------

/**
 * Independent standard normal numbers, the same for the same seed and shape on every backend. Two draws with one seed
 * and shape are one draw: give each its own seed.
 */
export const normal = (shape: Shape, seed: Host): Expr =>
  new Expr({ op: "normal" }, [toScalar(seed)], { shape, dtype: "float32" })

// --- words of optimizers -----------------------------------------------------------------------------------------

/** The exponential moving average `(1 − b)·x + b·m`. */
export const ema = (b: Host, m: Expr, x: Expr): Expr => add(mul(sub(1, b), x), mul(b, m))

/** The weight `1 − b^(t+1)` that an average started at zero has gathered after step t = 0, 1, …. */
export const debias = (b: Host, step: Host): Scalar.Scalar => sub(1, pow(b, add(step, 1)))

/** Which norm, and over which axes. */
export interface NormOptions extends ReduceOptions {
  /** Σ|x|, √Σx² (by default) or max |x|. */
  readonly ord?: 1 | 2 | "inf" | undefined
}

/** The norm over axes, all elements taken as one vector, but at least `minNorm`: for what is divided by it. */
export const safeNorm = (x: Expr, minNorm: Host, { ord = 2, ...axes }: NormOptions = {}): Expr => {
  if (ord === 1) return maximum(sum(abs(x), axes), minNorm)
  return maximum(ord === 2 ? sqrt(sum(square(x), axes)) : max(abs(x), axes), minNorm)
}

/** The root of the mean square of all elements, but at least `minRms`: for what is divided by it. */
export const safeRootMeanSquares = (x: Expr, minRms: Host): Expr =>
  // The mean as a sum, which is taken in the kernel that makes x.
  maximum(sqrt(div(sum(square(x)), sizeOf(x.shape))), minRms)
