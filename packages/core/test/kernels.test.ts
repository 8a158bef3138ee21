/**
 * Fused kernels against the interpreter, on the same backend: random programs, inputs, donations and aliases.
 *
 * What both compute from the same numbers must be the same numbers, bit for bit; only the order of the terms of a sum is
 * free. So the interpreter is given the sums that the kernels formed, and these are compared with their terms.
 */
import { type Expr, Plan, Program, Tensors } from "@optim/core"
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

const runs = { numRuns: 400 } as const

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

// --- inputs that are given away, shared, or elsewhere --------------------------------------------------------------

/** How an input comes to the execution, and at which earlier input it may be looked for. */
interface Way {
  readonly kind: "own" | "watched" | "same" | "view" | "away"
  readonly partner: number
}

const own: Way = { kind: "own", partner: 0 }

const way: fc.Arbitrary<Way> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(own) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("watched", "same", "view", "away"),
      partner: fc.nat({ max: 9 })
    })
  }
)

const ways = fc.array(way, { minLength: 5, maxLength: 5 })

const specOf = ({ dtype, shape }: Expr.TensorSpec): string => `${dtype} ${shape.join()}`

/** The earlier input that an input shares its numbers with, itself if none: one of the same shape and dtype. */
const partnerOf = (inputs: ReadonlyArray<Expr.TensorSpec>, ways: ReadonlyArray<Way>, index: number): number => {
  const { kind, partner } = ways[index] ?? own
  const spec = specOf(inputs[index] ?? assert.fail("an input has a spec"))
  const alike = inputs.flatMap((input, other) => (other < index && specOf(input) === spec ? [other] : []))
  return kind === "same" || kind === "view" ? (alike[partner % alike.length] ?? index) : index
}

/** The numbers of the inputs, where some share theirs. */
const arranged = (inputs: ReadonlyArray<Value>, ways: ReadonlyArray<Way>): ReadonlyArray<Value> => {
  const values: Array<Value> = []
  for (const [index, value] of inputs.entries()) values.push(values[partnerOf(inputs, ways, index)] ?? value)
  return values
}

/** Another handle of the same numbers. */
const handleOf = (tensor: Tensor): Tensor => tf.keep(tf.reshape(tensor, tensor.shape))

interface Given {
  readonly tensors: ReadonlyArray<Tensor>
  /** Handles that the user keeps. */
  readonly watched: ReadonlyArray<readonly [Tensor, Value]>
}

const give = Effect.fnUntraced(function* (
  services: { readonly service: Service; readonly elsewhere: Service },
  values: ReadonlyArray<Value>,
  ways: ReadonlyArray<Way>
) {
  const tensors: Array<Tensor> = []
  const watched: Array<readonly [Tensor, Value]> = []
  for (const [index, value] of values.entries()) {
    const { kind } = ways[index] ?? own
    const shared = tensors[partnerOf(values, ways, index)]
    const { make } = kind === "away" ? services.elsewhere : services.service
    const tensor = shared === undefined ? yield* make(value) : kind === "same" ? shared : handleOf(shared)
    tensors.push(tensor)
    if (kind === "watched") watched.push([handleOf(tensor), value])
  }
  return { tensors, watched }
})

/** Runs a plan once, and looks at everything that it may and may not touch. */
const donate = Effect.fnUntraced(function* (
  service: Service,
  plan: Plan.Plan,
  { tensors, watched }: Given,
  values: ReadonlyArray<Value>,
  scalars: Float64Array,
  { donatedFrom, renewHandles }: Giving
) {
  const outputs = yield* scoped(service.execute({ plan, inputs: tensors, scalars, donatedFrom, renewHandles }))
  assert.strictEqual(new Set(outputs).size, outputs.length, "every output is a handle of its own")
  const given = new Set(tensors.slice(donatedFrom))
  for (const [index, tensor] of tensors.entries()) {
    const isOutput = outputs.includes(tensor)
    if (!given.has(tensor)) assertSame(yield* read(service, [tensor]), values.slice(index, index + 1), "not donated")
    else assert.strictEqual(tensor.isDisposed, !isOutput, "donated")
    assert.isFalse(isOutput && (renewHandles || !given.has(tensor)), "a handle of an input")
  }
  for (const [tensor, value] of watched) assertSame(yield* read(service, [tensor]), [value], "watched")
  return yield* read(service, outputs)
})

const positions = ({ inputs }: Program.Program): ReadonlyArray<Giving> =>
  [...inputs.keys(), inputs.length].flatMap((donatedFrom) =>
    [true, false].map((renewHandles) => ({ donatedFrom, renewHandles }))
  )

const donatesSafely = Effect.fnUntraced(function* ([{ host, inputs, others, program }, ways]: readonly [
  KernelProgram,
  ReadonlyArray<Way>
]) {
  const { service } = yield* fused
  const elsewhere = yield* Effect.provide(Tensors.Tensors, Cpu.layer)
  const plan = Plan.make(program)
  const scalars = Program.evaluateScalars(program, host)
  for (const [turn, giving] of positions(program).entries()) {
    const values = arranged(turn % 2 === 0 ? inputs : others, ways)
    const wanted = yield* compute(service, plan, values, host)
    const given = yield* scoped(give({ service, elsewhere }, values, ways))
    const what = `${JSON.stringify({ ...giving, ways })}\n${Program.print(program)}\n`
    assertSame(yield* donate(service, plan, given, values, scalars, giving), wanted, what)
  }
})

/** Outputs become inputs, and all of them are given away: the way of an optimizer's state. */
const trains = Effect.fnUntraced(function* ({ host, inputs, program, states }: KernelProgram) {
  const { service } = yield* fused
  const plan = Plan.make(program)
  const scalars = Program.evaluateScalars(program, host)
  const first = inputs.length - states
  let state = yield* scoped(Effect.forEach(inputs.slice(first), service.make))
  let values = inputs.slice(first)
  for (let step = 0; step < 4; step++) {
    const fixed = yield* scoped(Effect.forEach(inputs.slice(0, first), service.make))
    const given = { donatedFrom: step % 2 === 0 ? first : 0, renewHandles: false }
    const outputs = yield* scoped(service.execute({ plan, inputs: [...fixed, ...state], scalars, ...given }))
    const wanted = yield* compute(interpreter, plan, [...inputs.slice(0, first), ...values], host)
    assertSame(yield* read(service, outputs), wanted, Program.print(program))
    state = outputs.slice(outputs.length - states)
    values = wanted.slice(wanted.length - states)
  }
})

layer(Allocator.layer)("fused kernels and the interpreter", (it) => {
  it.effect("agree bit for bit on programs of exact operations, whatever ran before", () =>
    forAll(kernelProgram("exact"), (program) => leavesHeap(agreesExactly(program)), runs)
  )

  it.effect("agree bit for bit on all programs, given the sums; sums are as close as float32 allows", () =>
    forAll(kernelProgram("all"), (program) => leavesHeap(agreesGivenSums(program)), runs)
  )

  it.effect("agree after steps that give their state away", () =>
    forAll(kernelProgram("exact"), (program) => leavesHeap(trains(program)), runs)
  )
})

layer(Allocator.layer)("donated inputs", (it) => {
  it.effect("change no number, from whatever position on and however they are shared", () =>
    forAll(fc.tuple(kernelProgram("all"), ways), (drawn) => leavesHeap(donatesSafely(drawn)), { numRuns: 200 })
  )
})
