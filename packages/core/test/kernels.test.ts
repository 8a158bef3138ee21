/**
 * Fused kernels against the interpreter, on the same backend: random programs, inputs, donations and aliases.
 *
 * What both compute from the same numbers must be the same numbers, bit for bit; only the order of the terms of a sum is
 * free. So the interpreter is given the sums that the kernels formed, and these are compared with their terms.
 */
import { type BackendLost, type DisposedTensor, Expr, Plan, Program, Tensors } from "@optim/core"
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

const read = (
  service: Service,
  tensors: ReadonlyArray<Tensor>
): Effect.Effect<ReadonlyArray<Value>, BackendLost | DisposedTensor> =>
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
  const { data, sums } = evaluate(node, [terms ?? assert.fail(what)])
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

/** Every position from which inputs can be donated; each with the same arrangement of inputs between two others. */
const turns = (
  { inputs }: Program.Program,
  ways: ReadonlyArray<Way>
): ReadonlyArray<Giving & { readonly ways: ReadonlyArray<Way> }> =>
  [...inputs.keys(), inputs.length].flatMap((donatedFrom) =>
    [true, false].flatMap((renewHandles) => [[], ways, []].map((ways) => ({ donatedFrom, renewHandles, ways })))
  )

const donatesSafely = Effect.fnUntraced(function* ([{ host, inputs, others, program }, ways]: readonly [
  KernelProgram,
  ReadonlyArray<Way>
]) {
  const { service } = yield* fused
  const elsewhere = yield* Effect.provide(Tensors.Tensors, Cpu.layer)
  const plan = Plan.make(program)
  const scalars = Program.evaluateScalars(program, host)
  for (const [index, turn] of turns(program, ways).entries()) {
    const values = arranged(index % 2 === 0 ? inputs : others, turn.ways)
    const wanted = yield* compute(service, plan, values, host)
    const given = yield* scoped(give({ service, elsewhere }, values, turn.ways))
    const what = `${JSON.stringify(turn)}\n${Program.print(program)}\n`
    assertSame(yield* donate(service, plan, given, values, scalars, turn), wanted, what)
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
    forAll(fc.tuple(kernelProgram("all"), ways), (drawn) => leavesHeap(donatesSafely(drawn)), { numRuns: 120 })
  )
})

// --- cases -------------------------------------------------------------------------------------------------------

const vector = (...numbers: ReadonlyArray<number>): Value => ({
  shape: [numbers.length],
  dtype: "float32",
  data: Float32Array.from(numbers)
})

const planOf = (
  inputs: ReadonlyArray<Expr.TensorSpec>,
  outputs: (...inputs: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>
): Plan.Plan =>
  Plan.make(
    Program.make(
      inputs.map(({ dtype, shape }) => ({ shape, dtype })),
      outputs(...inputs.map((spec, index) => Expr.input(index, spec)))
    )
  )

const greatest = 2 ** 128 - 2 ** 104
const infinity = Number.POSITIVE_INFINITY

const ramp = (length: number, from = 0): Value => vector(...Array.from({ length }, (_, index) => index + from))

/** Executes a plan on a new executor and on the interpreter, and compares. */
const agree = (plan: Plan.Plan, inputs: ReadonlyArray<Value>) =>
  Effect.gen(function* () {
    const { service } = yield* fused
    const found = yield* compute(service, plan, inputs, [])
    assertSame(found, yield* compute(interpreter, plan, inputs, []), "outputs")
    return found
  }).pipe(Effect.scoped)

/** Tensors of these numbers, executed upon again and again by one executor. */
const repeated = Effect.fnUntraced(function* (plan: Plan.Plan, inputs: ReadonlyArray<Value>) {
  const { service } = yield* fused
  const tensors = yield* scoped(Effect.forEach(inputs, service.make))
  const execute = (given: ReadonlyArray<Tensor>, giving: Giving = nothing) =>
    scoped(service.execute({ plan, inputs: given, scalars: Program.evaluateScalars(plan.program, []), ...giving }))
  return { service, tensors, execute }
})

const doubled = (length: number): Plan.Plan => planOf([ramp(length)], (x = never()) => [Expr.add(x, x)])

const never = (): never => assert.fail("the plan has so many inputs")

layer(Allocator.layer)("cases", (it) => {
  it.effect("what tfjs made of a donated input keeps its numbers when the input is written over", () =>
    Effect.gen(function* () {
      // A reshape shares the data of its argument; the output that could take the place of x comes after it.
      const plan = planOf([ramp(6)], (x = never()) => [Expr.reshape(x, [2, 3]), Expr.sub(x, Expr.max(x))])
      const { execute, service, tensors } = yield* repeated(plan, [ramp(6)])
      const [reshaped, next] = yield* read(service, yield* execute(tensors, { donatedFrom: 0, renewHandles: false }))
      assert.deepStrictEqual(reshaped?.data, ramp(6).data)
      assert.deepStrictEqual(next?.data, ramp(6, -5).data)
    })
  )

  it.effect("a tensor that is given away at one place and not at another is not written over", () =>
    Effect.gen(function* () {
      // The kernel that makes the last output reads x; a is read after it.
      const plan = planOf([ramp(5), ramp(5)], (a = never(), x = never()) => {
        const next = Expr.add(x, 1)
        return [Expr.add(a, Expr.sum(next)), next]
      })
      const { execute, service, tensors } = yield* repeated(plan, [ramp(5)])
      const [shared = never()] = tensors
      const outputs = yield* execute([shared, shared], { donatedFrom: 1, renewHandles: false })
      const [sum, next] = yield* read(service, outputs)
      assert.deepStrictEqual([sum?.data, next?.data], [ramp(5, 15).data, ramp(5, 1).data])
      assert.isTrue(shared.isDisposed)
    })
  )

  it.effect("one tensor at two donated places is not written over twice, even after two tensors were there", () =>
    Effect.gen(function* () {
      const plan = planOf([ramp(5), ramp(5)], (x = never(), y = never()) => [Expr.add(x, y), Expr.sub(x, y)])
      const { execute, service, tensors } = yield* repeated(plan, [ramp(5), ramp(5, 2), ramp(5)])
      const [x = never(), y = never(), both = never()] = tensors
      const giving = { donatedFrom: 0, renewHandles: false }
      assert.deepStrictEqual(yield* execute([x, y], giving), [x, y])
      const [sum, difference] = yield* read(service, yield* execute([both, both], giving))
      assert.deepStrictEqual([sum?.data, difference?.data], [Float32Array.of(0, 2, 4, 6, 8), new Float32Array(5)])
    })
  )

  it.effect("a view that is made between two steps keeps its numbers", () =>
    Effect.gen(function* () {
      const { execute, service, tensors } = yield* repeated(doubled(5), [ramp(5)])
      const giving = { donatedFrom: 0, renewHandles: false }
      const once = yield* execute(tensors, giving)
      assert.deepStrictEqual(once, tensors)
      const seen = yield* scoped(service.run(() => once.map((tensor) => tf.reshape(tensor, [5, 1]))))
      const [twice, view] = yield* read(service, [...(yield* execute(once, giving)), ...seen])
      assert.deepStrictEqual(
        [twice?.data, view?.data],
        [Float32Array.of(0, 4, 8, 12, 16), Float32Array.of(0, 2, 4, 6, 8)]
      )
    })
  )

  for (const where of ["there", "back"] as const) {
    it.effect(`a tensor that another backend took is found again when it is ${where}`, () =>
      Effect.gen(function* () {
        const { execute, service, tensors } = yield* repeated(doubled(64), [ramp(64)])
        const cpu = yield* Effect.provide(Tensors.Tensors, Cpu.layer)
        const [tensor = never()] = tensors
        yield* execute(tensors)
        yield* scoped(cpu.run(() => tf.neg(tensor)))
        // What comes next to the heap lies where the tensor lay.
        yield* scoped(service.make(ramp(64, 1000)))
        if (where === "back") yield* scoped(service.run(() => tf.neg(tensor)))
        const [found] = yield* read(service, yield* execute(tensors))
        assert.deepStrictEqual(
          found?.data,
          Float32Array.from({ length: 64 }, (_, index) => 2 * index)
        )
      })
    )
  }

  it.effect("a variable of tfjs is read where it is, whatever was assigned to it", () =>
    Effect.gen(function* () {
      const { execute, service } = yield* repeated(doubled(3), [])
      const variable = yield* service.run(() => tf.variable(tf.tensor1d([1, 2, 3]), false))
      const before = yield* read(service, yield* execute([variable]))
      yield* service.run(() => variable.assign(tf.tensor1d([4, 5, 6])))
      const after = yield* read(service, yield* execute([variable]))
      variable.dispose()
      assertSame([...before, ...after], [vector(2, 4, 6), vector(8, 10, 12)], "twice the variable")
    })
  )

  it.effect("no inputs, no outputs, no elements", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* agree(
          planOf([], () => []),
          []
        ),
        []
      )
      yield* agree(
        planOf([ramp(3)], () => []),
        [ramp(3)]
      )
      yield* agree(
        planOf([], () => [Expr.full({ shape: [2, 3], dtype: "float32" }, 7)]),
        []
      )
      yield* agree(
        planOf([ramp(0)], (x = never()) => [Expr.sqrt(x), Expr.sum(x), Expr.max(x), Expr.min(x), x]),
        [ramp(0)]
      )
    })
  )

  it.effect("extremes of all pairs of edges, at every place of vectors and tails, along every axis", () =>
    Effect.gen(function* () {
      const edges = [0, -0, 1, -1, 2 ** -149, -(2 ** -149), greatest, -greatest, infinity, -infinity, Number.NaN]
      const pairs = edges.flatMap((a) => edges.map((b) => [a, b] as const))
      for (const columns of [1, 2, 3, 4, 5, 7, 16, 17, 23, 121]) {
        for (const rows of [1, 2, 11]) {
          const of = (side: 0 | 1): Value => {
            const numbers = Array.from({ length: rows * columns }, (_, at) => pairs[at % pairs.length]?.[side] ?? 0)
            return { shape: [rows, columns], dtype: "float32", data: Float32Array.from(numbers) }
          }
          const [x, y] = [of(0), of(1)]
          const plan = planOf([x, y], (a = never(), b = never()) => [
            Expr.minimum(a, b),
            Expr.maximum(a, b),
            ...[[0], [1], [0, 1]].flatMap((axes) => [
              Expr.max(a, { axes }),
              Expr.min(b, { axes }),
              Expr.max(Expr.neg(b), { axes }),
              Expr.min(Expr.neg(a), { axes })
            ])
          ])
          yield* agree(plan, [x, y])
        }
      }
    })
  )

  it.effect("many numbers between two kernels, which nobody else sees", () =>
    Effect.gen(function* () {
      // Kernels read |x| along another axis than they write it; 80 KB of it are not kept between executions.
      for (const length of [20, 20_000]) {
        const x = ramp(length, -10)
        const y: Value = { shape: [2, length], dtype: "float32", data: new Float32Array(2 * length).fill(0.5) }
        const plan = planOf([x, y], (a = never(), b = never()) => [Expr.add(b, Expr.broadcastTo(Expr.abs(a), b.shape))])
        assert.strictEqual(plan.steps.length, 2)
        const before = Allocator.allocations()
        const { execute, service, tensors } = yield* repeated(plan, [x, y])
        for (let time = 0; time < 3; time++) {
          const [sum] = yield* read(service, yield* execute(tensors))
          const wanted = Float32Array.from({ length: 2 * length }, (_, at) => Math.abs((at % length) - 10) + 0.5)
          assert.deepStrictEqual(sum?.data, wanted)
        }
        // Two inputs, three outputs, and the block of the plan.
        assert.strictEqual(Allocator.allocations() - before, 6)
        const room = length > 20 ? 2 : 1
        for (let n = 0; n <= room; n++) {
          const exit = yield* Effect.exit(Allocator.refusingAfter(n, execute(tensors)))
          assert.strictEqual(exit._tag, n < room ? "Failure" : "Success")
        }
        assert.strictEqual(Allocator.allocations() - before, 7)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("bodies too long to be unrolled", () =>
    Effect.gen(function* () {
      for (const length of [1, 15, 67]) {
        const chain = planOf([ramp(length), ramp(length)], (x = never(), y = never()) => {
          let value = x
          for (let op = 0; op < 200; op++) value = op % 2 === 0 ? Expr.mul(value, 0.5) : Expr.add(value, y)
          return [value, Expr.max(value)]
        })
        yield* agree(chain, [ramp(length, 3), ramp(length, -7)])
      }
    })
  )

  it.effect("chains of 20,000 operations", () =>
    Effect.gen(function* () {
      const chain = planOf([ramp(5)], (x = never()) => {
        let value = x
        for (let op = 0; op < 20_000; op++) value = op % 2 === 0 ? Expr.add(value, x) : Expr.sub(value, 3)
        return [value]
      })
      yield* agree(chain, [ramp(5)])
    })
  )

  it.effect("20,000 tensors in one sum", () =>
    Effect.gen(function* () {
      const inputs = Array.from({ length: 20_000 }, (_, index) => vector(index % 7))
      const total = planOf(inputs, (...all) => [all.map((x) => Expr.sum(x)).reduce((a, b) => Expr.add(a, b))])
      const [found] = yield* agree(total, inputs)
      assert.strictEqual(
        found?.data[0],
        inputs.reduce((sum, { data: [x = 0] }) => sum + x, 0)
      )
    })
  )
})
