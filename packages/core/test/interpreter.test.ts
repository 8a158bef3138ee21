/**
 * The interpreter on every backend: what a node computes, that backends agree, and that nothing is left behind.
 *
 * The reference is plain JavaScript (support/reference.ts). A random program is executed with all of its nodes as
 * outputs, and each node is compared with what the reference gives for the very arguments that the node had: an error
 * cannot hide behind another, and none is counted twice.
 */
import { assert, layer } from "@effect/vitest"
import { Expr, Plan, Program, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Backend, backends } from "./support/backends.ts"
import { laidOpen, run } from "./support/execution.ts"
import { forAll } from "./support/property.ts"
import { exact, randomProgram, type RandomProgram } from "./support/randomProgram.ts"
import { dataOf, evaluate, type Expected, type Value } from "./support/reference.ts"
import { isFunction, isSame, isWithin, ofSum, overflows, precision, suited } from "./support/tolerances.ts"

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
    arg._tag === "Node"
      ? (values[arg.id] ?? assert.fail(`%${arg.id} comes later`))
      : { shape: [], dtype, data: dataOf(dtype, [scalars[arg.id] ?? Number.NaN]) }
  )
  return evaluate(node, args)
}

/** Is the element what it should be, within the tolerance of the operation on this backend? */
const isClose = (backend: Backend, op: Expr.Op, found: number, index: number, wanted: Expected): boolean => {
  const target = wanted.data[index] ?? Number.NaN
  const { sums } = wanted
  if (sums !== undefined && overflows(sums, index)) return true
  if (sums !== undefined && Math.abs(found - target) <= ofSum(sums, index)) return true
  return wanted.dtype === "float32" ? isWithin(backend, op, found, target) : isSame(found, target)
}

const dataKind = (data: Value["data"]): Expr.DType =>
  data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool"

const checkValue = (backend: Backend, node: Program.Node, found: Value, wanted: Expected, what: string): void => {
  const { operation, ...spec } = node
  assert.deepStrictEqual({ shape: found.shape, dtype: found.dtype }, { shape: spec.shape, dtype: spec.dtype }, what)
  assert.strictEqual(dataKind(found.data), spec.dtype, `${what}: the array that is read`)
  found.data.forEach((element, index) => {
    if (!isClose(backend, operation.op, element, index, wanted))
      assert.strictEqual(element, wanted.data[index], `${what} at ${index}`)
  })
}

const argumentsOf = ({ args }: Program.Node, values: ReadonlyArray<Value>): ReadonlyArray<Value> =>
  args.flatMap((arg) => (arg._tag === "Node" ? (values[arg.id] ?? []) : []))

/**
 * Does the backend say what the node is? Not where integers are too large for it, or come from what is no integer; nor,
 * if its functions are those of a shader, where one is given or would give what is no finite number: a product of matrices
 * is one of these, because tfjs' webgl pads them with zeros, which make NaN of an infinity.
 */
const isSettled = ({ name }: Backend, op: Expr.Op, values: ReadonlyArray<Value>): boolean => {
  const { functions, largestInteger } = precision[name]
  const isOfFinite = isFunction(op) || op === "matMul"
  if (functions > 0 && isOfFinite) return values.every(({ data }) => [...data].every(Number.isFinite))
  const isInteger = values.some(({ dtype }) => dtype === "int32")
  if (!isInteger || largestInteger === 2 ** 31) return true
  return values.every(({ data }) => [...data].every((x) => Math.abs(x) <= largestInteger))
}

const checkNodes = (backend: Backend, { host, program }: RandomProgram, values: ReadonlyArray<Value>): void => {
  const scalars = Program.evaluateScalars(program, host)
  program.nodes.forEach((node, id) => {
    const found = values[id]
    if (found === undefined) return assert.fail(`no value for node ${id}`)
    if (node.operation.op === "input") return
    const wanted = expected(node, values, scalars)
    if (!isSettled(backend, node.operation.op, [...argumentsOf(node, values), wanted])) return
    checkValue(backend, node, found, wanted, `${backend.name} %${id} of\n${Program.print(program)}\n`)
  })
}

const services = Effect.forEach([Wasm.layer, Cpu.layer], (layer) => Effect.provide(Tensors.Tensors, layer))

// --- laws --------------------------------------------------------------------------------------------------------

for (const backend of backends) {
  layer(backend.layer)(`the interpreter on ${backend.name}`, (it) => {
    it.effect("gives for every node what the reference gives for its arguments", () =>
      forAll(
        randomProgram(),
        (random) =>
          Effect.gen(function* () {
            const open = laidOpen(suited(backend, random))
            checkNodes(backend, open, yield* run(yield* Tensors.Tensors, open))
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

layer(Wasm.layer)("wasm and cpu among each other", (it) => {
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

// --- cases -------------------------------------------------------------------------------------------------------

const spec = { shape: [2], dtype: "float32" } as const
const [a, b] = [Expr.input(0, spec), Expr.input(1, spec)]
const numbers = { shape: [2], data: Float32Array.of(1, 2) }

const planOf = (...outputs: ReadonlyArray<Expr.Expr>): Plan.Plan => Plan.make(Program.make([spec, spec], outputs))

const execution = (plan: Plan.Plan, inputs: ReadonlyArray<tf.Tensor>, donatedFrom = inputs.length) => ({
  plan,
  inputs,
  scalars: Program.evaluateScalars(plan.program, []),
  donatedFrom,
  renewHandles: true
})

/** More than any machine has, on cpu more than an array may hold. */
const immense = Expr.full({ shape: [2 ** 40], dtype: "float32" }, 1)

for (const backend of backends) {
  layer(backend.layer)(`tensors of an execution on ${backend.name}`, (it) => {
    it.effect("only outputs are left, each under a handle of its own", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const inputs = [yield* tensors.make(numbers), yield* tensors.make(numbers)]
        const before = tf.memory().numTensors
        const sum = Expr.add(Expr.exp(a), Expr.sqrt(b))
        const outputs = yield* tensors.execute(execution(planOf(sum, sum, a, a), inputs))
        assert.strictEqual(tf.memory().numTensors, before + 4)
        assert.strictEqual(new Set([...outputs, ...inputs]).size, 6)
        yield* Tensors.dispose(inputs)
        for (const output of outputs) {
          assert.lengthOf(yield* tensors.read(output), 2)
          yield* Tensors.dispose(output)
        }
        assert.strictEqual(tf.memory().numTensors, before - 2)
      })
    )

    it.effect("donated inputs are gone, even one that is given twice or is an output", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const before = tf.memory().numTensors
        const [x, y] = [yield* tensors.make(numbers), yield* tensors.make(numbers)]
        const outputs = yield* tensors.execute(execution(planOf(Expr.add(a, b), a), [x, y, x], 0))
        assert.isTrue(x.isDisposed && y.isDisposed)
        assert.deepStrictEqual(yield* Effect.forEach(outputs, tensors.read), [
          Float32Array.of(2, 4),
          Float32Array.of(1, 2)
        ])
        yield* Tensors.dispose(outputs)
        assert.strictEqual(tf.memory().numTensors, before)
      })
    )

    it.effect("without memory in the middle: nothing is left behind, nothing was donated", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const inputs = [yield* tensors.make(numbers), yield* tensors.make(numbers)]
        const before = tf.memory()
        const first = Expr.exp(a)
        const plan = planOf(first, Expr.add(first, Expr.sum(Expr.exp(immense))))
        const error = yield* Effect.flip(tensors.execute(execution(plan, inputs, 0)))
        assert.strictEqual(error._tag, "OutOfMemory")
        assert.deepStrictEqual(tf.memory(), before)
        for (const input of inputs) assert.deepStrictEqual(yield* tensors.read(input), numbers.data)
        yield* Tensors.dispose(inputs)
      })
    )

    it.effect("a disposed input is a defect: nothing is left behind, nothing was donated", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const [x, y] = [yield* tensors.make(numbers), yield* tensors.make(numbers)]
        y.dispose()
        const before = tf.memory()
        const early = yield* Effect.exit(tensors.execute(execution(planOf(Expr.sub(Expr.exp(a), b)), [x, y], 0)))
        const late = yield* Effect.exit(tensors.execute(execution(planOf(a, Expr.exp(a), b), [x, y], 0)))
        for (const exit of [early, late]) assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.deepStrictEqual(tf.memory(), before)
        assert.deepStrictEqual(yield* tensors.read(x), numbers.data)
        x.dispose()
      })
    )
  })
}
