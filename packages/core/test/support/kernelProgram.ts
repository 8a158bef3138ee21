/**
 * Random programs that are worth fusing: inputs of one shape and of its axes, many operations that kernels have, and
 * outputs that take the place of inputs.
 *
 * The words are those of randomProgram.ts; here they are chosen so that kernels become large, read their operands along
 * all sorts of strides, and end between two vectors.
 */
import { Expr, Program, Scalar } from "@optim/core"
import * as fc from "fast-check"
import { bounded, float32, type RandomProgram } from "./randomProgram.ts"
import { dataOf, sizeOf, type Value } from "./reference.ts"

/** A program, other inputs for it, and how many of the last inputs the last outputs can follow. */
export interface KernelProgram extends RandomProgram {
  readonly others: ReadonlyArray<Value>
  readonly states: number
}

const maxRank = 6
const maxSize = 1500

// The tails of vectors and of unrolled loops, and nothing at all.
const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.constant(1) },
  { weight: 12, arbitrary: fc.integer({ min: 2, max: 5 }) },
  { weight: 6, arbitrary: fc.constantFrom(15, 16, 17, 64 + 3) }
)

const shape = fc.array(size, { maxLength: maxRank }).map((sizes) => bounded(sizes, maxSize))

/** Some of the axes of a shape, the others of size 1; perhaps without the outermost. */
const derived = (shape: Expr.Shape, kept: number, dropped: number): Expr.Shape =>
  shape.map((size, axis) => ((kept >> axis) % 2 === 1 ? size : 1)).slice(dropped % (shape.length + 1))

const everything = 2 ** maxRank - 1

const inputShapes = fc
  .tuple(
    shape,
    fc.array(
      fc.tuple(
        fc.oneof({ weight: 3, arbitrary: fc.constant(everything) }, { weight: 2, arbitrary: fc.nat(everything) }),
        fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(maxRank) })
      ),
      { minLength: 1, maxLength: 5 }
    )
  )
  .map(([shape, choices]) => choices.map(([kept, dropped]) => derived(shape, kept, dropped)))

const dtype = fc.constantFrom<Expr.DType>(...Array.from({ length: 14 }, () => "float32" as const), "int32", "bool")

const some = fc.array(float32, { minLength: 1, maxLength: 11 })

const filled = (spec: Expr.TensorSpec, numbers: ReadonlyArray<number>): Value => ({
  ...spec,
  data: dataOf(
    spec.dtype,
    Array.from({ length: sizeOf(spec.shape) }, (_, index) => numbers[index % numbers.length] ?? 0)
  )
})

// --- steps -------------------------------------------------------------------------------------------------------

/** The values made so far: numbers, and conditions. */
interface Pool {
  readonly values: Array<Expr.Expr>
  readonly masks: Array<Expr.Expr>
}

/** What one step draws. */
interface Draw {
  readonly word: number
  readonly picks: readonly [number, number, number]
  readonly scalar: Expr.Host
  readonly axes: number
}

/** One of the latest, or of all. */
const pick = (all: ReadonlyArray<Expr.Expr>, n: number): Expr.Expr | undefined => all.at(-1 - (n % all.length))

/** The shape to which both stretch, if there is one that is not too large. */
const common = (a: Expr.Shape, b: Expr.Shape): Expr.Shape | undefined => {
  const rank = Math.max(a.length, b.length)
  const at = (shape: Expr.Shape, axis: number): number => shape[axis - rank + shape.length] ?? 1
  const shape = Array.from({ length: rank }, (_, axis) => (at(a, axis) === 1 ? at(b, axis) : at(a, axis)))
  const fits = shape.every((size, axis) => at(b, axis) === 1 || at(b, axis) === size)
  return fits && sizeOf(shape) <= maxSize ? shape : undefined
}

/** `x` and `y` under one shape; a scalar in place of `y` if there is none. */
const together = (x: Expr.Expr, y: Expr.Expr | undefined, scalar: Expr.Host): readonly [Expr.Expr, Expr.Operand] => {
  const shape = y === undefined ? undefined : common(x.shape, y.shape)
  return shape === undefined || y === undefined ? [x, scalar] : [Expr.broadcastTo(x, shape), Expr.broadcastTo(y, shape)]
}

const unary = [Expr.neg, Expr.abs, Expr.sqrt, Expr.sign, Expr.floor] as const
const binary = [Expr.add, Expr.sub, Expr.mul, Expr.div, Expr.minimum, Expr.maximum] as const
const compares = [Expr.less, Expr.lessEqual, Expr.greater, Expr.greaterEqual, Expr.equal, Expr.notEqual] as const
const reductions = { exact: [Expr.max, Expr.min], all: [Expr.sum, Expr.max, Expr.min, Expr.mean] } as const

const numbersOf = (x: Expr.Expr): Expr.Expr => Expr.cast(x, "float32")

const arithmetic = ({ values }: Pool, { picks: [a, b, c], scalar, word }: Draw): Expr.Expr | undefined => {
  const x = pick(values, a)
  if (x === undefined) return undefined
  if (word % 4 === 0) return unary[b % unary.length]?.(x)
  const [left, right] = together(x, word % 4 === 1 ? undefined : pick(values, b), scalar)
  const of = binary[c % binary.length] ?? Expr.add
  return word % 8 < 4 ? of(left, right) : of(right, left)
}

const condition = ({ masks, values }: Pool, { picks: [a, b, c], scalar, word }: Draw): Expr.Expr | undefined => {
  const [x, mask] = [pick(values, a), pick(masks, a)]
  if (word % 3 > 0 && x !== undefined) {
    const [left, right] = together(x, word % 3 === 1 ? undefined : pick(values, b), scalar)
    return compares[c % compares.length]?.(left, right)
  }
  if (mask === undefined) return undefined
  const [left, right] = together(mask, pick(masks, b), 0)
  if (!(right instanceof Expr.Expr)) return Expr.not(mask)
  return [Expr.not(left), Expr.and(left, right), Expr.or(left, right)][c % 3]
}

const choice = ({ masks, values }: Pool, { picks: [a, b, c], scalar, word }: Draw): Expr.Expr | undefined => {
  const [mask, x] = [pick(masks, c), pick(values, a)]
  if (mask === undefined || x === undefined) return undefined
  if (word % 6 === 0) return numbersOf(mask)
  const [left, right] = together(x, word % 3 === 0 ? undefined : pick(values, b), scalar)
  const shape = common(left.shape, mask.shape)
  if (shape === undefined) return undefined
  const spread = (y: Expr.Operand): Expr.Operand => (y instanceof Expr.Expr ? Expr.broadcastTo(y, shape) : y)
  const chosen = Expr.broadcastTo(mask, shape)
  return word % 2 === 0
    ? Expr.where(chosen, spread(left), spread(right))
    : Expr.where(chosen, spread(right), spread(left))
}

/** Axes of size 1 gone, or more of them. */
const view = ({ values }: Pool, { axes, picks: [a], word }: Draw): Expr.Expr | undefined => {
  const x = pick(values, a)
  if (x === undefined) return undefined
  const squeezed = x.shape.filter((size, axis) => size !== 1 || (axes >> axis) % 2 === 1)
  if (word % 3 === 0) return Expr.reshape(x, squeezed)
  const at = axes % (squeezed.length + 1)
  const unit = squeezed.length < maxRank ? squeezed.toSpliced(at, 0, 1) : squeezed
  if (word % 3 === 1) return Expr.reshape(x, unit)
  const stretched = unit.map((size, axis) => (axis === at && size === 1 ? 1 + (axes % 5) : size))
  return sizeOf(stretched) <= maxSize ? Expr.broadcastTo(Expr.reshape(x, unit), stretched) : undefined
}

const reduction =
  (words: typeof reductions.exact | typeof reductions.all) =>
  ({ values }: Pool, { axes, picks: [a, b], word }: Draw): Expr.Expr | undefined => {
    const x = pick(values, a)
    if (x === undefined) return undefined
    const some = x.shape.map((_, axis) => axis).filter((axis) => word % 3 === 0 || (axes >> axis) % 2 === 1)
    return words[b % words.length]?.(x, { axes: some, keepDims: word % 2 === 0 })
  }

const constant = ({ values }: Pool, { picks: [a], scalar }: Draw): Expr.Expr | undefined => {
  const x = pick(values, a)
  return x === undefined ? undefined : Expr.fullLike(x, scalar)
}

/** What kernels do not have. */
const library = ({ masks, values }: Pool, { axes, picks: [a, b], scalar, word }: Draw): Expr.Expr | undefined => {
  const [x, mask] = [pick(values, a), pick(masks, b)]
  if (x === undefined) return undefined
  const others = [
    () => Expr.transpose(x),
    () => Expr.reshape(x, [sizeOf(x.shape)]),
    () => Expr.reshape(x, x.shape.toReversed()),
    () => numbersOf(Expr.cast(x, "int32")),
    () => Expr.cast(x, "bool"),
    () => numbersOf(Expr.sum(Expr.cast(x, "int32"))),
    () => numbersOf(Expr.max(Expr.cast(x, "int32"))),
    () => (mask === undefined ? undefined : Expr.reshape(mask, [...mask.shape, 1].slice(0, maxRank))),
    () => (mask === undefined ? undefined : numbersOf(Expr.add(Expr.cast(mask, "int32"), axes)))
  ]
  const functions = [() => Expr.exp(x), () => Expr.tanh(x), () => Expr.pow(x, scalar), () => Expr.log(x)]
  const all = word % 2 === 0 ? others : functions
  return all[axes % all.length]?.()
}

type Maker = (pool: Pool, draw: Draw) => Expr.Expr | undefined

const often = (count: number, maker: Maker): ReadonlyArray<Maker> => Array.from({ length: count }, () => maker)

const makers = {
  exact: [
    ...often(18, arithmetic),
    ...often(4, condition),
    ...often(3, choice),
    ...often(4, view),
    ...often(3, reduction(reductions.exact)),
    constant
  ],
  all: [
    ...often(18, arithmetic),
    ...often(4, condition),
    ...often(3, choice),
    ...often(4, view),
    ...often(5, reduction(reductions.all)),
    constant,
    library
  ]
} as const

/** Which operations there are: those that are exact in any order, or all, also those that kernels do not have. */
export type Vocabulary = keyof typeof makers

const step = (vocabulary: Vocabulary) =>
  fc.record({
    maker: fc.constantFrom(...makers[vocabulary]),
    word: fc.nat({ max: 23 }),
    // Mostly the latest values: programs are deep rather than wide.
    picks: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 14 }), fc.nat({ max: 9 })),
    scalar: float32,
    fromHost: fc.boolean(),
    axes: fc.nat({ max: everything })
  })

/** The scalars of the host are a number, and half of another. */
const hostScalars: ReadonlyArray<Scalar.Scalar> = [Scalar.input("a", 0), Expr.div(Scalar.input("b", 1), 2)]

// --- programs ----------------------------------------------------------------------------------------------------

/** The latest value that could follow an input in its place; the input itself if there is none. */
const successor = (pool: ReadonlyArray<Expr.Expr>, input: Expr.Expr): Expr.Expr =>
  pool.findLast(({ dtype, shape }) => dtype === input.dtype && shape.join() === input.shape.join()) ?? input

/** Programs whose last outputs may be written over their last inputs, as an optimizer's states are. */
export const kernelProgram = (vocabulary: Vocabulary): fc.Arbitrary<KernelProgram> =>
  fc
    .record({
      shapes: inputShapes,
      dtypes: fc.array(dtype, { minLength: 5, maxLength: 5 }),
      numbers: fc.array(fc.array(some, { minLength: 5, maxLength: 5 }), { minLength: 2, maxLength: 2 }),
      steps: fc.array(step(vocabulary), { minLength: 1, maxLength: 40, size: "max" }),
      outputs: fc.array(fc.nat(), { maxLength: 3 }),
      states: fc.nat({ max: 5 }),
      host: fc.tuple(float32, float32)
    })
    .map(({ dtypes, host, numbers, outputs, shapes, states, steps }) => {
      const specs = shapes.map((shape, index) => ({ shape, dtype: dtypes[index] ?? "float32" }))
      const inputs = specs.map((spec, index) => Expr.input(index, spec))
      const pool: Pool = {
        values: inputs.filter(({ dtype }) => dtype === "float32"),
        masks: inputs.filter(({ dtype }) => dtype === "bool")
      }
      for (const { fromHost, maker, ...draw } of steps) {
        const scalar = fromHost ? (hostScalars[draw.word % 2] ?? draw.scalar) : draw.scalar
        const made = maker(pool, { ...draw, scalar })
        if (made !== undefined) (made.dtype === "bool" ? pool.masks : pool.values).push(made)
      }
      const made = [...inputs, ...pool.masks, ...pool.values]
      const kept = outputs.flatMap((n) => pick(made, n) ?? [])
      const next = inputs.slice(Math.max(0, inputs.length - states)).map((input) => successor(made, input))
      const program = Program.make(specs, [...kept, ...made.slice(-1), ...next])
      const [first = [], others = []] = numbers.map((some) =>
        specs.map((spec, index) => filled(spec, some[index] ?? [0]))
      )
      return { program, inputs: first, others, host, states: next.length }
    })
