/**
 * Random programs over random tensors, with every operation there is.
 *
 * A program grows step by step: each step applies one operation to values made before, casting and stretching them
 * until it fits. Everything comes from small numbers, so that a failure shrinks to a few steps.
 */
import { Expr, Program, Scalar } from "@optim/core"
import * as fc from "fast-check"
import { dataOf, sizeOf, type Value } from "./reference.ts"

export interface RandomProgram {
  readonly program: Program.Program
  readonly inputs: ReadonlyArray<Value>
  /** The inputs of the host. */
  readonly host: ReadonlyArray<number>
}

const maxSize = 400
const maxRank = 6

// --- numbers -----------------------------------------------------------------------------------------------------

const greatest = 2 ** 128 - 2 ** 104

const edges = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, greatest, -greatest]
const tiny = [2 ** -149, -(2 ** -149), 2 ** -126, 1e-40]

/** Numbers of float32, at the edges and in the middle; small integers make ties. */
export const float32 = fc.oneof(
  fc.constantFrom(...edges, ...tiny, 16777217).map(Math.fround),
  fc.integer({ min: -3, max: 3 }),
  fc.float({ min: -8, max: 8, noNaN: true }),
  fc.float()
)

const int32 = fc.oneof(
  fc.constantFrom(0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 16777217),
  fc.integer({ min: -5, max: 5 }),
  fc.integer()
)

const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 5 }) }
)

/** The sizes in turn, without those that would make too many elements. */
export const bounded = (sizes: ReadonlyArray<number>, most = maxSize): ReadonlyArray<number> => {
  const kept: Array<number> = []
  for (const n of sizes) if (sizeOf(kept) * n <= most) kept.push(n)
  return kept
}

/** Shapes of up to 6 axes, some of them empty; axes that would make too many elements are left out. */
const shape = fc.array(size, { maxLength: maxRank }).map(bounded)

const some = (numbers: fc.Arbitrary<number>): fc.Arbitrary<Array<number>> =>
  fc.array(numbers, { minLength: 1, maxLength: 9 })

/** A tensor of some numbers, repeated in turn. */
const tensor = (dtype: Expr.DType, numbers: fc.Arbitrary<number>): fc.Arbitrary<Value> =>
  fc.record({ shape, numbers: some(numbers) }).map(({ numbers, shape }) => ({
    shape,
    dtype,
    data: dataOf(
      dtype,
      Array.from({ length: sizeOf(shape) }, (_, index) => numbers[index % numbers.length] ?? 0)
    )
  }))

const input: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: tensor("float32", float32) },
  { weight: 1, arbitrary: tensor("int32", int32) },
  { weight: 1, arbitrary: tensor("bool", fc.integer({ min: 0, max: 1 })) }
)

// --- steps -------------------------------------------------------------------------------------------------------

/** All that one step draws. */
interface Draw {
  /** The values that it takes. */
  readonly operands: readonly [Expr.Expr, Expr.Expr, Expr.Expr]
  readonly scalar: Expr.Host
  readonly numbers: ReadonlyArray<number>
}

type Maker = (draw: Draw) => Expr.Expr

/** `x` under another shape if it stretches to it, otherwise a scalar in its place. */
const fitted = (x: Expr.Expr, { dtype, shape }: Expr.TensorSpec, scalar: Expr.Host): Expr.Operand => {
  try {
    return Expr.broadcastTo(Expr.cast(x, dtype), shape)
  } catch {
    return scalar
  }
}

const unary =
  (word: (x: Expr.Expr) => Expr.Expr, dtype?: Expr.DType): Maker =>
  ({ operands: [x] }) =>
    word(dtype === undefined ? numeric(x) : Expr.cast(x, dtype))

const numeric = (x: Expr.Expr): Expr.Expr => (x.dtype === "bool" ? Expr.cast(x, "int32") : x)

const binary =
  (word: (a: Expr.Expr, b: Expr.Operand) => Expr.Expr, dtype?: Expr.DType): Maker =>
  ({ operands: [x, y], scalar }) => {
    const a = dtype === undefined ? numeric(x) : Expr.cast(x, dtype)
    return word(a, fitted(y, a, scalar))
  }

/** Products of integers are exact on every backend below 2⁵³. */
const product = (a: Expr.Expr, b: Expr.Operand): Expr.Expr => {
  if (a.dtype !== "int32") return Expr.mul(a, b)
  const factor = Expr.maximum(Expr.minimum(a, 2 ** 26), -(2 ** 26))
  return Expr.mul(factor, b instanceof Expr.Expr ? Expr.minimum(Expr.maximum(b, -(2 ** 26)), 2 ** 26) : b)
}

const comparison =
  (word: (a: Expr.Expr, b: Expr.Operand) => Expr.Expr): Maker =>
  ({ operands: [x, y], scalar }) =>
    word(x, fitted(y, x, scalar))

const logical =
  (word: (a: Expr.Expr, b: Expr.Expr) => Expr.Expr): Maker =>
  ({ operands: [x, y] }) => {
    const a = Expr.cast(x, "bool")
    const b = fitted(y, a, 0)
    return word(a, b instanceof Expr.Expr ? b : Expr.not(a))
  }

const otherShapes = ({ shape }: Expr.Expr): ReadonlyArray<Expr.Shape> => {
  const n = sizeOf(shape)
  const [first = 1, second = 1, ...rest] = shape
  const shapes = [[n], [1, n], shape.toReversed(), [...shape, 1], [1, ...shape], [first * second, ...rest], [n, 1, 1]]
  return shapes.filter((to) => to.length <= maxRank && sizeOf(to) === n)
}

const reshape: Maker = ({ numbers: [pick = 0], operands: [x] }) => {
  const shapes = otherShapes(x)
  return Expr.reshape(x, shapes[pick % shapes.length] ?? x.shape)
}

const broadcast: Maker = ({ numbers: [front = 0, stretch = 0], operands: [x] }) => {
  const stretched = x.shape.map((n) => (n === 1 ? 1 + (stretch % 4) : n))
  const shapes = [[front % 4, ...stretched], stretched, x.shape]
  const to = shapes.find((shape) => shape.length <= maxRank && sizeOf(shape) <= maxSize)
  return Expr.broadcastTo(x, to ?? x.shape)
}

const transpose: Maker = ({ numbers, operands: [x] }) => {
  const order = x.shape.map((_, axis) => axis).toSorted((a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0))
  return Expr.transpose(x, order)
}

const reduction =
  (word: (x: Expr.Expr, options: Expr.ReduceOptions) => Expr.Expr, dtype?: Expr.DType): Maker =>
  ({ numbers, operands: [x] }) => {
    const axes = x.shape.map((_, axis) => axis).filter((axis) => (numbers[axis] ?? 0) % 2 === 0)
    return word(dtype === undefined ? numeric(x) : Expr.cast(x, dtype), { axes, keepDims: (numbers[0] ?? 0) > 8 })
  }

const sumOf = reduction(Expr.sum)

const meanOf = reduction(Expr.mean, "float32")

const matMul: Maker = ({ operands: [x] }) => {
  const a = Expr.cast(x, "float32")
  const columns = Math.min(x.shape.at(-1) ?? 1, 20)
  const rows = sizeOf(x.shape) / columns
  const matrix = Expr.reshape(a, rows <= 20 && Number.isInteger(rows) ? [rows, columns] : [1, sizeOf(x.shape)])
  return Expr.matMul(matrix, Expr.transpose(matrix))
}

const rows = (x: Expr.Expr): Expr.Expr => (x.shape.length === 0 ? Expr.reshape(x, [1]) : x)

const concat: Maker = ({ numbers: [times = 0], operands: [x] }) => {
  const part = rows(x)
  const most = sizeOf(part.shape) * 3 <= maxSize ? 3 : 1
  return Expr.concat(Array.from({ length: 1 + (times % most) }, () => part))
}

const slice: Maker = ({ numbers: [from = 0, size = 0], operands: [x] }) => {
  const whole = rows(x)
  const n = whole.shape[0] ?? 0
  const start = from % (n + 1)
  return Expr.slice(whole, start, size % (n - start + 1))
}

/** One maker for every operation: a new one does not compile without it. Random numbers have no reference. */
const makers: { readonly [O in Exclude<Expr.Op, "input" | "normal">]: Maker } = {
  fill: ({ operands: [x], scalar }) => Expr.fullLike(x, scalar),
  neg: unary(Expr.neg),
  abs: unary(Expr.abs),
  sqrt: unary(Expr.sqrt, "float32"),
  exp: unary(Expr.exp, "float32"),
  log: unary(Expr.log, "float32"),
  tanh: unary(Expr.tanh, "float32"),
  sign: unary(Expr.sign),
  floor: unary(Expr.floor, "float32"),
  not: unary(Expr.not, "bool"),
  add: binary(Expr.add),
  sub: ({ operands: [x, y], scalar }) => {
    const b = numeric(y)
    return Expr.sub(fitted(x, b, scalar), b)
  },
  mul: binary(product),
  div: binary(Expr.div, "float32"),
  pow: binary(Expr.pow, "float32"),
  minimum: binary(Expr.minimum),
  maximum: binary(Expr.maximum),
  less: comparison(Expr.less),
  lessEqual: comparison(Expr.lessEqual),
  greater: comparison(Expr.greater),
  greaterEqual: comparison(Expr.greaterEqual),
  equal: comparison(Expr.equal),
  notEqual: comparison(Expr.notEqual),
  and: logical(Expr.and),
  or: logical(Expr.or),
  select: ({ operands: [x, y, z], scalar }) => {
    const condition = fitted(z, { shape: x.shape, dtype: "bool" }, 0)
    const choose = condition instanceof Expr.Expr ? condition : Expr.cast(x, "bool")
    return Expr.where(choose, x, fitted(y, x, scalar))
  },
  cast: ({ numbers: [pick = 0], operands: [x] }) =>
    Expr.cast(x, (["float32", "int32", "bool"] as const)[pick % 3] ?? "bool"),
  reshape,
  broadcast,
  concat,
  slice,
  transpose,
  sum: (draw) => ((draw.numbers[1] ?? 0) % 3 === 0 ? meanOf(draw) : sumOf(draw)),
  max: reduction(Expr.max),
  min: reduction(Expr.min),
  matMul
}

export type Made = keyof typeof makers

/** The operations whose result is one of float32's numbers and no other: IEEE 754 rounds them once, or not at all. */
const inexact: ReadonlySet<Made> = new Set(["exp", "log", "tanh", "pow", "sum", "matMul"])

const all = Object.keys(makers) as ReadonlyArray<Made>
export const exact: ReadonlyArray<Made> = all.filter((op) => !inexact.has(op))

// --- programs ----------------------------------------------------------------------------------------------------

interface Step {
  readonly op: Made
  readonly picks: readonly [number, number, number]
  readonly scalar: number
  readonly fromHost: boolean
  readonly numbers: ReadonlyArray<number>
}

const small = fc.nat({ max: 11 })

const step = (ops: ReadonlyArray<Made>): fc.Arbitrary<Step> =>
  fc.record({
    op: fc.constantFrom(...ops),
    picks: fc.tuple(small, small, small),
    scalar: float32,
    fromHost: fc.boolean(),
    numbers: fc.array(small, { minLength: maxRank, maxLength: maxRank })
  })

/** The scalars of the host are a number, and half of another. */
const hostScalars: ReadonlyArray<Scalar.Scalar> = [Scalar.input("a", 0), Expr.div(Scalar.input("b", 1), 2)]

const grow = (pool: ReadonlyArray<Expr.Expr>, { fromHost, numbers, op, picks, scalar }: Step): Expr.Expr => {
  // Later values are more likely: programs are deep rather than wide.
  const pick = (n: number): Expr.Expr => pool.at(-1 - (n % pool.length)) as Expr.Expr
  const [a, b, c] = picks
  const host = fromHost ? (hostScalars[a % 2] ?? scalar) : scalar
  return makers[op]({ operands: [pick(a), pick(b), pick(c)], scalar: host, numbers })
}

/** Programs of these operations; the last values are the outputs, one of them twice. */
export const randomProgram = (ops: ReadonlyArray<Made> = all): fc.Arbitrary<RandomProgram> =>
  fc
    .record({
      inputs: fc.array(input, { minLength: 1, maxLength: 3 }),
      steps: fc.array(step(ops), { minLength: 1, maxLength: 14 }),
      outputs: fc.integer({ min: 1, max: 3 }),
      host: fc.tuple(float32, float32)
    })
    .map(({ host, inputs, outputs, steps }) => {
      const specs = inputs.map(({ dtype, shape }) => ({ shape, dtype }))
      const pool = specs.map((spec, index) => Expr.input(index, spec))
      for (const step of steps) pool.push(grow(pool, step))
      const last = pool.slice(-outputs)
      return { program: Program.make(specs, [...last, ...last.slice(0, 1)]), inputs, host }
    })
