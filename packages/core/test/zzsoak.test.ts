/**
 * Fused kernels against the interpreter, on the same backend: random programs, inputs, donations and aliases.
 *
 * What both compute from the same numbers must be the same numbers, bit for bit; only the order of the terms of a sum is
 * free. So the interpreter is given the sums that the kernels formed, and these are compared with their terms.
 */
import { Expr, Plan, Program, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as Allocator from "./support/allocator.ts"
import { type Service, valueOf } from "./support/execution.ts"
import { fused, interpreter } from "./support/executors.ts"
import { kernelProgram, type KernelProgram } from "./support/kernelProgram.ts"
import { forAll } from "./support/property.ts"
import { evaluate, type Value } from "./support/reference.ts"
import { ofSum, overflows } from "./support/tolerances.ts"

const { scoped } = Tensors

// --- comparing ---------------------------------------------------------------------------------------------------

/** The same numbers: −0 is not 0, every NaN is the same. */
const assertSame = (found: ReadonlyArray<Value>, wanted: ReadonlyArray<Value>, what: string): void => {
  assert.strictEqual(found.length, wanted.length, what)
  wanted.forEach((value, index) => {
    const { data, ...spec } = found[index] ?? value
    assert.deepStrictEqual(spec, { shape: value.shape, dtype: value.dtype }, `${what}: ${index}`)
    const at = value.data.findIndex((x, position) => !Object.is(x, data[position]))
    if (at >= 0) assert.fail(`${what}: ${index} at ${at}: found ${data[at]}, expected ${value.data[at]}`)
  })
}

const read = (service: Service, tensors: ReadonlyArray<Tensor>): Effect.Effect<ReadonlyArray<Value>> =>
  Effect.forEach(tensors, (tensor) => valueOf(service, tensor))

/** How an execution treats its inputs. */
interface Giving {
  readonly donatedFrom: number
  readonly renewHandles: boolean
}

const nothing: Giving = { donatedFrom: Number.MAX_SAFE_INTEGER, renewHandles: true }

/** What a plan gives on a service, for inputs that are made for it. */
const compute = Effect.fnUntraced(function* (
  service: Service,
  plan: Plan.Plan,
  inputs: ReadonlyArray<Value>,
  host: ReadonlyArray<number>
) {
  const made = yield* scoped(Effect.forEach(inputs, service.make))
  const scalars = Program.evaluateScalars(plan.program, host)
  const outputs = yield* scoped(service.execute({ plan, inputs: made, scalars, ...nothing }))
  return yield* read(service, outputs)
})

// --- sums --------------------------------------------------------------------------------------------------------

const sumsOf = ({ nodes }: Program.Program): ReadonlyArray<number> =>
  nodes.flatMap(({ dtype, operation }, id) => (operation.op === "sum" && dtype === "float32" ? [id] : []))

/** The program with its sums for inputs, and their terms for outputs. */
const givenSums = (program: Program.Program, sums: ReadonlyArray<number>): Program.Program => {
  const { inputs, nodes, outputs } = program
  const terms = sums.flatMap((id) => nodes[id]?.args.map((arg) => arg.id) ?? [])
  return {
    ...program,
    inputs: [...inputs, ...sums.flatMap((id) => nodes[id] ?? [])],
    nodes: nodes.map((node, id) =>
      sums.includes(id)
        ? { ...node, operation: { op: "input", index: inputs.length + sums.indexOf(id) }, args: [] }
        : node
    ),
    outputs: [...outputs, ...terms]
  }
}

const assertSum = (node: Program.Node, found: Value | undefined, terms: Value | undefined, what: string): void => {
  const { data, sums } = evaluate(node, [terms])
  data.forEach((wanted, index) => {
    const sum = found?.data[index] ?? assert.fail(what)
    if (Object.is(sum, wanted) || sums === undefined || overflows(sums, index)) return
    assert.isAtMost(Math.abs(sum - wanted), ofSum(sums, index), `${what}: ${sum}, expected ${wanted}`)
  })
}

// --- laws --------------------------------------------------------------------------------------------------------

const runs = { numRuns: 6000, seed: 2 } as const

/** Leaves as many pieces of the heap in use as there were. */
const leavesHeap = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = Allocator.allocations()
  const result = yield* Effect.scoped(effect)
  assert.strictEqual(Allocator.allocations(), before)
  return result
})

const agreesExactly = Effect.fnUntraced(function* ({ host, inputs, others, program }: KernelProgram) {
  const { service } = yield* fused
  const plan = Plan.make(program)
  // The first inputs once more: nothing may be left of those between.
  for (const some of [inputs, others, inputs]) {
    const wanted = yield* compute(interpreter, plan, some, host)
    assertSame(yield* compute(service, plan, some, host), wanted, Program.print(program))
  }
})

const agreesGivenSums = Effect.fnUntraced(function* ({ host, inputs, program }: KernelProgram) {
  const { service } = yield* fused
  const sums = sumsOf(program)
  const open = { ...program, outputs: [...program.outputs, ...sums] }
  const found = yield* compute(service, Plan.make(open), inputs, host)
  const count = program.outputs.length
  const [outputs, formed] = [found.slice(0, count), found.slice(count)]
  const given = Plan.make(givenSums(program, sums))
  const wanted = yield* compute(interpreter, given, [...inputs, ...formed], host)
  assertSame(outputs, wanted.slice(0, count), Program.print(program))
  sums.forEach((id, index) => {
    const node = program.nodes[id] ?? assert.fail("a sum is a node")
    assertSum(node, formed[index], wanted[count + index], `%${id} of\n${Program.print(program)}\n`)
  })
  // Sums that nobody sees are the same sums.
  assertSame(yield* compute(service, Plan.make(program), inputs, host), outputs, Program.print(program))
})

layer(Allocator.layer)("fused kernels and the interpreter", (it) => {
  it.effect("agree bit for bit on programs of exact operations, whatever ran before", () =>
    forAll(kernelProgram("exact"), (program) => leavesHeap(agreesExactly(program)), runs)
  )

  it.effect("agree bit for bit on all programs, given the sums; sums are as close as float32 allows", () =>
    forAll(kernelProgram("all"), (program) => leavesHeap(agreesGivenSums(program)), runs)
  )
})
