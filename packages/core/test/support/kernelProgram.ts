/**
 * Random programs that are worth fusing: inputs of one shape and of its axes, many operations that kernels have, and
 * outputs that take the place of inputs.
 *
 * The words are those of randomProgram.ts; here they are chosen so that kernels become large, read their operands along
 * all sorts of strides, and end between two vectors.
 */
import { Expr, Program } from "@optim/core"
import * as fc from "fast-check"
import { all, bounded, float32, grow, type Made, type RandomProgram, step } from "./randomProgram.ts"
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

const often: ReadonlyArray<Made> = ["add", "sub", "mul", "div", "maximum", "select", "less", "broadcast", "reshape"]

/** Kernels have these; the rest, which is left to tfjs, comes seldom. */
const weighted = (ops: ReadonlyArray<Made>): ReadonlyArray<Made> => {
  const kernels = ops.filter((op) => !["exp", "log", "tanh", "pow", "mean", "matMul", "transpose"].includes(op))
  const reductions: ReadonlyArray<Made> = ["sum", "max", "min"]
  return [...ops, ...kernels, ...kernels, ...[...often, ...reductions, ...often].filter((op) => ops.includes(op))]
}

/** The latest value that could follow an input in its place; the input itself if there is none. */
const successor = (pool: ReadonlyArray<Expr.Expr>, input: Expr.Expr): Expr.Expr =>
  pool.findLast(({ dtype, shape }) => dtype === input.dtype && shape.join() === input.shape.join()) ?? input

/** Programs whose last outputs may be written over their last inputs, as an optimizer's states are. */
export const kernelProgram = (ops: ReadonlyArray<Made> = all): fc.Arbitrary<KernelProgram> =>
  fc
    .record({
      shapes: inputShapes,
      dtypes: fc.array(dtype, { minLength: 5, maxLength: 5 }),
      numbers: fc.array(fc.array(some, { minLength: 5, maxLength: 5 }), { minLength: 2, maxLength: 2 }),
      steps: fc.array(step(weighted(ops)), { minLength: 1, maxLength: 20 }),
      outputs: fc.array(fc.nat(), { maxLength: 3 }),
      states: fc.nat({ max: 4 }),
      host: fc.tuple(float32, float32)
    })
    .map(({ dtypes, host, numbers, outputs, shapes, states, steps }) => {
      const specs = shapes.map((shape, index) => ({ shape, dtype: dtypes[index] ?? "float32" }))
      const inputs = specs.map((spec, index) => Expr.input(index, spec))
      const pool = [...inputs]
      for (const step of steps) pool.push(grow(pool, step))
      const kept = outputs.flatMap((pick) => pool.at(-1 - (pick % pool.length)) ?? [])
      const last = inputs.slice(-states).slice(0, states)
      const next = last.map((input) => successor(pool, input))
      const program = Program.make(specs, [...kept, ...pool.slice(-1), ...next])
      const [first = [], others = []] = numbers.map((some) =>
        specs.map((spec, index) => filled(spec, some[index] ?? [0]))
      )
      return { program, inputs: first, others, host, states: next.length }
    })
