/**
 * The interpreter on every backend: what a node computes, that backends agree, and that nothing is left behind.
 *
 * The reference is plain JavaScript (support/reference.ts). A random program is executed with all of its nodes as
 * outputs, and each node is compared with what the reference gives for the very arguments that the node had: an error
 * cannot hide behind another, and none is counted twice.
 */
import { assert, layer } from "@effect/vitest"
import { Expr, Plan, Program, Tensors } from "@optim/core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { forAll } from "./support/property.ts"
import { exact, randomProgram, type RandomProgram } from "./support/randomProgram.ts"
import { dataOf, evaluate, type Expected, type Value } from "./support/reference.ts"
import { ofSum, overflows, ulps } from "./support/tolerances.ts"

type Service = Tensors.Tensors["Service"]

const valueOf = (tensors: Service, tensor: Tensor): Effect.Effect<Value> =>
  Effect.map(tensors.read(tensor), (data) => ({ shape: tensor.shape, dtype: tensor.dtype as Expr.DType, data }))

/** The outputs of a program; its inputs are made for it and disposed like the outputs. */
const run = Effect.fnUntraced(function* (tensors: Service, { host, inputs, program }: RandomProgram) {
  const made = yield* Effect.forEach(inputs, (input) => Tensors.scoped(tensors.make(input)))
  const scalars = Program.evaluateScalars(program, host)
  const outputs = yield* Tensors.scoped(
    tensors.execute({ plan: Plan.make(program), inputs: made, scalars, donated: [] })
  )
  return yield* Effect.forEach(outputs, (output) => valueOf(tensors, output))
})

/** Every node an output. */
const laidOpen = (random: RandomProgram): RandomProgram => ({
  ...random,
  program: { ...random.program, outputs: random.program.nodes.map((_, id) => id) }
})

// --- what a node should give -------------------------------------------------------------------------------------

const compares = new Set(["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"])

/** A scalar takes the dtype of the tensor that it is compared with, otherwise that of the result. */
const scalarDType = ({ args, dtype, operation }: Program.Node, values: ReadonlyArray<Value>): Expr.DType => {
  const partner = args.find((arg) => arg._tag === "Node")
  return compares.has(operation.op) && partner !== undefined ? (values[partner.id]?.dtype ?? dtype) : dtype
}

const expected = (node: Program.Node, values: ReadonlyArray<Value>, scalars: Float64Array): Expected => {
  const dtype = scalarDType(node, values)
  const args = node.args.map((arg) =>
    arg._tag === "Node" ? values[arg.id] : { shape: [], dtype, data: dataOf(dtype, [scalars[arg.id] ?? Number.NaN]) }
  )
  return evaluate(node, args)
}

const bits = new Int32Array(1)
const float = new Float32Array(bits.buffer)

/** The place of a float32 among all of them; both zeros are at 0. */
const place = (x: number): number => {
  float[0] = x
  const [word = 0] = bits
  return word < 0 ? -(word & 0x7fffffff) : word
}

const same = (a: number, b: number): boolean => (a === b ? Object.is(a, b) : Number.isNaN(a) && Number.isNaN(b))

/** Is the element what it should be, within the tolerance of the operation on this backend? */
const isClose = (backend: string, op: Expr.Op, found: number, index: number, wanted: Expected): boolean => {
  const target = wanted.data[index] ?? Number.NaN
  if (same(found, target)) return true
  const { sums } = wanted
  if (sums !== undefined) return overflows(sums, index) || Math.abs(found - target) <= ofSum(sums, index)
  return Math.abs(place(found) - place(target)) <= (ulps[backend]?.[op] ?? 0)
}

const dataKind = (data: Value["data"]): Expr.DType =>
  data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool"

const checkValue = (backend: string, node: Program.Node, found: Value, wanted: Expected, what: string): void => {
  const { operation, ...spec } = node
  assert.deepStrictEqual({ shape: found.shape, dtype: found.dtype }, { shape: spec.shape, dtype: spec.dtype }, what)
  assert.strictEqual(dataKind(found.data), spec.dtype, `${what}: the array that is read`)
  found.data.forEach((element, index) => {
    if (!isClose(backend, operation.op, element, index, wanted))
      assert.strictEqual(element, wanted.data[index], `${what} at ${index}`)
  })
}

const checkNodes = (backend: string, { host, program }: RandomProgram, values: ReadonlyArray<Value>): void => {
  const scalars = Program.evaluateScalars(program, host)
  program.nodes.forEach((node, id) => {
    const found = values[id]
    if (found === undefined) return assert.fail(`no value for node ${id}`)
    if (node.operation.op === "input") return
    checkValue(
      backend,
      node,
      found,
      expected(node, values, scalars),
      `${backend} %${id} of\n${Program.print(program)}\n`
    )
  })
}

const services = Effect.forEach(backends, ({ layer }) => Effect.provide(Tensors.Tensors, layer))

// --- laws --------------------------------------------------------------------------------------------------------

for (const backend of backends) {
  layer(backend.layer)(`the interpreter on ${backend.name}`, (it) => {
    it.effect("gives for every node what the reference gives for its arguments", () =>
      forAll(
        randomProgram(),
        (random) =>
          Effect.gen(function* () {
            const open = laidOpen(random)
            checkNodes(backend.name, open, yield* run(yield* Tensors.Tensors, open))
          }),
        { numRuns: 300 }
      )
    )

    it.effect("gives the same outputs whether or not intermediates are released on the way", () =>
      forAll(
        randomProgram(),
        (random) =>
          Effect.gen(function* () {
            const tensors = yield* Tensors.Tensors
            const open = yield* run(tensors, laidOpen(random))
            const outputs = yield* run(tensors, random)
            assert.deepStrictEqual(
              outputs,
              random.program.outputs.map((id) => open[id])
            )
          }),
        { numRuns: 100 }
      )
    )
  })
}

layer(backends[0].layer)("backends among each other", (it) => {
  it.effect("agree bit for bit on programs of exact operations", () =>
    forAll(
      randomProgram(exact),
      (random) =>
        Effect.gen(function* () {
          const [wasm, cpu] = yield* Effect.forEach(yield* services, (tensors) => run(tensors, random))
          assert.deepStrictEqual(wasm, cpu)
        }),
      { numRuns: 300 }
    )
  )
})
