/**
 * Fusion, asserted: how many kernels, over what, and nothing beside them.
 *
 * A fusion that is lost costs no test of numbers anything, only every user some of their speed; so plans are counted
 * here, and compiled modules, and what stays on the heap.
 */
import { Expr, Optimizer, Plan, Program, Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { explainPlan } from "../src/internal/plan/explain.ts"
import { Modules } from "../src/internal/wasm/modules.ts"
import { prepare } from "../src/internal/wasm/prepare.ts"
import * as Allocator from "./support/allocator.ts"
import { catalogue, type Row, typical } from "./support/catalogue.ts"
import { compiled } from "./support/compiled.ts"
import { fused, heap } from "./support/executors.ts"

// --- plans -------------------------------------------------------------------------------------------------------

const fusedOf = ({ steps }: Plan.Plan): ReadonlyArray<Plan.FusedStep> =>
  steps.filter((step): step is Plan.FusedStep => step._tag === "Fused")

const keysOf = (plan: Plan.Plan): ReadonlySet<string> => new Set(fusedOf(plan).map(({ key }) => key))

const float32 = (...shape: ReadonlyArray<number>): Expr.TensorSpec => ({ shape, dtype: "float32" })

const planOf = (
  specs: ReadonlyArray<Expr.TensorSpec>,
  outputs: (...inputs: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>
): Plan.Plan => Plan.make(Program.make(specs, outputs(...specs.map((spec, index) => Expr.input(index, spec)))))

/** All ranks, a leaf without elements, and axes of size 1. */
const shapes: ReadonlyArray<Expr.Shape> = [
  [],
  [5],
  [0],
  [3, 4],
  [1, 4],
  [2, 3, 4],
  [2, 1, 3, 2],
  [1, 1, 1, 1, 1],
  [2, 2, 2, 1, 2, 2]
]

const leaves = (shapes: ReadonlyArray<Expr.Shape>) =>
  Effect.acquireRelease(
    Effect.sync(() => shapes.map((shape) => tf.zeros([...shape]))),
    Tensors.dispose
  )

const update = Effect.fnUntraced(function* <S>(optimizer: Optimizer.Optimizer<S>, shapes: ReadonlyArray<Expr.Shape>) {
  const traced = yield* optimizer.trace(yield* leaves(shapes))
  return traced.update
})

/** The optimizers whose every slot has the shape of its parameter. */
const isElementwise = ({ name }: Row): boolean => name !== "sm3"

const elementwise = catalogue.filter(isElementwise)

layer(Wasm.layer)("updates", (it) => {
  for (const row of elementwise) {
    it.effect(`${row.name} is one kernel, called once for all leaves, whatever their shapes`, () =>
      Effect.gen(function* () {
        const plan = yield* update(typical(row), shapes)
        assert.strictEqual(plan.steps.length, shapes.length)
        assert.strictEqual(fusedOf(plan).length, shapes.length)
        assert.strictEqual(keysOf(plan).size, 1)
        assert.deepStrictEqual(
          fusedOf(plan).map(({ kernel }) => kernel.loops),
          shapes.map(() => 1)
        )
        const { calls, temporaryBytes } = prepare(plan, new Modules(heap().memory))
        assert.strictEqual(calls.length, 1)
        assert.strictEqual(temporaryBytes, 0)
      }).pipe(Effect.scoped)
    )

    it.effect(`${row.name} writes every slot over itself`, () =>
      Effect.gen(function* () {
        const plan = yield* update(typical(row), [[], [5], [3, 4]])
        const { program } = plan
        const first = program.inputs.length - program.outputs.length
        const { outputs } = prepare(plan, new Modules(heap().memory))
        assert.deepStrictEqual(
          outputs.map(({ over, owns }) => [over, owns]),
          program.outputs.map((_, slot) => [first + slot, true])
        )
      }).pipe(Effect.scoped)
    )
  }

  for (const shape of [[], [5], [1], [3, 4], [3, 1], [2, 3, 4], [2, 3, 2, 2]]) {
    it.effect(`sm3 on [${shape.join(", ")}] is one kernel, its vectors read and reduced along the axes`, () =>
      Effect.gen(function* () {
        const plan = yield* update(Optimizer.sm3({ stepSize: 0.1 }), [shape, shape])
        assert.strictEqual(plan.steps.length, 2)
        assert.strictEqual(keysOf(plan).size, 1)
        const [step] = fusedOf(plan)
        const vectors = Math.max(1, shape.length)
        assert.strictEqual(step?.inputs.length, 3 + vectors) // gradient, mean and parameter
        assert.strictEqual(step?.results.length, 2 + vectors)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("a rule whose slots do not need each other is one kernel all the same, and is written in place", () =>
    Effect.gen(function* () {
      const delayed = Optimizer.leafwise(() => ({
        init: (x) => ({ x, v: Expr.zerosLike(x) }),
        update: (_, g, { v, x }) => ({ x: Expr.sub(x, v), v: Expr.add(Expr.mul(v, 0.5), g) }),
        params: ({ x }) => x
      }))
      const plan = yield* update(delayed(), [[], [3, 4]])
      assert.strictEqual(plan.steps.length, 2)
      const { outputs } = prepare(plan, new Modules(heap().memory))
      assert.isTrue(outputs.every(({ over }) => over >= 0))
    }).pipe(Effect.scoped)
  )
})

// --- explanations ------------------------------------------------------------------------------------------------

/** What `clipGrads` and others execute. */
const plansOf = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E, Tensors.Tensors>) {
  const service = yield* Tensors.Tensors
  const plans: Array<Plan.Plan> = []
  const executeUnsafe: typeof service.executeUnsafe = (execution) => {
    plans.push(execution.plan)
    return service.executeUnsafe(execution)
  }
  yield* Tensors.dispose(yield* Effect.provideService(effect, Tensors.Tensors, { ...service, executeUnsafe }))
  return plans
})

layer(Wasm.layer)("explanations", (it) => {
  it.effect("of adam", () =>
    Effect.gen(function* () {
      const tree = { w: new Float32Array(1000), b: 0 }
      assert.strictEqual(
        yield* Optimizer.explain(Optimizer.adam({ stepSize: 0.1 }), tree),
        [
          "adam.update: 2 leaves, 1001 parameters",
          "state: m, v, x; 3.00 numbers per parameter",
          "memory: 16.0 bytes read and 12.0 written per parameter",
          "executed: fused kernels in WebAssembly SIMD, in place where donated",
          "kernel 1: applied 2 times, 1001 elements",
          "    4 inputs, 6 scalars, 3 results; per element 16.0 bytes read, 12.0 written",
          "    v0 = mul(s0, in0)",
          "    v1 = mul(s1, in1)",
          "    v2 = add(v0, v1)",
          "    v3 = mul(in0, in0)",
          "    v4 = mul(s2, v3)",
          "    v5 = mul(s3, in2)",
          "    v6 = add(v4, v5)",
          "    v7 = mul(s4, v2)",
          "    v8 = sqrt(v6)",
          "    v9 = add(v8, s5)",
          "    v10 = div(v7, v9)",
          "    v11 = sub(in3, v10)",
          "    out0 = v2",
          "    out1 = v6",
          "    out2 = v11"
        ].join("\n")
      )
    })
  )

  it.effect("of sm3", () =>
    Effect.gen(function* () {
      const [w, ...others] = yield* leaves([[100, 50]])
      assert.deepStrictEqual(others, [])
      assert.strictEqual(
        yield* Optimizer.explain(Optimizer.sm3({ stepSize: 0.1 }), { w }),
        [
          "sm3.update: 1 leaf, 5000 parameters",
          "state: m, v.0, v.1, x; 2.03 numbers per parameter",
          "memory: 12.1 bytes read and 8.1 written per parameter",
          "executed: fused kernels in WebAssembly SIMD, in place where donated",
          "kernel 1: applied 1 time, 5000 elements",
          "    5 inputs, 5 scalars, 4 results; per element 12.1 bytes read, 8.1 written",
          "    v0 = minimum(in0, in1)",
          "    v1 = mul(in2, in2)",
          "    v2 = add(v0, v1)",
          "    v3 = sqrt(v2)",
          "    v4 = div(s0, v3)",
          "    v5 = greater(v2, s1)",
          "    v6 = select(v5, v4, s1)",
          "    v7 = mul(in2, v6)",
          "    v8 = mul(s2, v7)",
          "    v9 = mul(s3, in3)",
          "    v10 = add(v8, v9)",
          "    v11 = mul(s4, v10)",
          "    v12 = sub(in4, v11)",
          "    out0 = v10",
          "    out1 = v12",
          "    out2 = max(v2)",
          "    out3 = max(v2)"
        ].join("\n")
      )
    }).pipe(Effect.scoped)
  )

  it.effect("of clipGrads: a sum per leaf, the norm, a factor per leaf", () =>
    Effect.gen(function* () {
      const [plan, ...others] = yield* plansOf(
        Optimizer.clipGrads({ a: new Float32Array(30), b: new Float32Array(70) }, 1)
      )
      assert.deepStrictEqual(others, [])
      assert.strictEqual(
        plan === undefined ? "" : explainPlan(plan),
        [
          "kernel 1: applied 2 times, 100 elements",
          "    1 input, 0 scalars, 1 result; per element 4.0 bytes read, 0.1 written",
          "    v0 = mul(in0, in0)",
          "    out0 = sum(v0)",
          "kernel 2: applied 1 time, 1 element",
          "    2 inputs, 2 scalars, 1 result; per element 8.0 bytes read, 4.0 written",
          "    v0 = add(in0, in1)",
          "    v1 = sqrt(v0)",
          "    v2 = div(s0, v1)",
          "    v3 = less(v1, s0)",
          "    v4 = select(v3, s1, v2)",
          "    out0 = v4",
          "kernel 3: applied 2 times, 100 elements",
          "    2 inputs, 0 scalars, 1 result; per element 4.1 bytes read, 4.0 written",
          "    v0 = mul(in0, in1)",
          "    out0 = v0"
        ].join("\n")
      )
    })
  )

  const [floats, matrix] = [float32(3), float32(2, 3)]
  const integers: Expr.TensorSpec = { shape: [3], dtype: "int32" }
  const conditions: Expr.TensorSpec = { shape: [3], dtype: "bool" }

  /** For each reason what is left to tfjs because of it. */
  const reasons: ReadonlyArray<{
    readonly reason: string
    readonly specs: ReadonlyArray<Expr.TensorSpec>
    readonly outputs: (x: Expr.Expr, y: Expr.Expr) => ReadonlyArray<Expr.Expr>
    readonly lines: ReadonlyArray<string>
  }> = [
    {
      reason: "no vector instruction computes it",
      specs: [floats],
      outputs: (x) => [Expr.exp(Expr.neg(x)), Expr.exp(x), Expr.log(x), Expr.tanh(x), Expr.pow(x, 2)],
      lines: [
        "exp to float32 [3], 2 times",
        "log to float32 [3], 1 time",
        "tanh to float32 [3], 1 time",
        "pow to float32 [3], 1 time"
      ]
    },
    {
      reason: "it moves elements to other places",
      specs: [matrix],
      outputs: (x) => [Expr.transpose(x), Expr.concat([x, x]), Expr.slice(x, 1, 1)],
      lines: [
        "transpose to float32 [3, 2], 1 time",
        "concat to float32 [4, 3], 1 time",
        "slice to float32 [1, 3], 1 time"
      ]
    },
    {
      reason: "it is a product of matrices",
      specs: [matrix, float32(3, 2)],
      outputs: (x, y) => [Expr.matMul(x, y)],
      lines: ["matMul to float32 [2, 2], 1 time"]
    },
    {
      reason: "random numbers are drawn by tfjs",
      specs: [],
      outputs: () => [Expr.normal([3], 7)],
      lines: ["normal to float32 [3], 1 time"]
    },
    {
      reason: "it is an output, or read by tfjs, and so must be a tensor",
      specs: [floats],
      outputs: (x) => [Expr.less(x, 0), Expr.broadcastTo(x, [2, 3])],
      lines: ["less to bool [3], 1 time", "broadcast to float32 [2, 3], 1 time"]
    },
    {
      reason: "kernels compute with float32, not with int32",
      specs: [integers, floats],
      outputs: (x, y) => [Expr.add(x, 1), Expr.cast(x, "float32"), Expr.cast(y, "int32"), Expr.sum(x)],
      lines: [
        "add to int32 [3], 1 time",
        "cast to float32 [3], 1 time",
        "cast to int32 [3], 1 time",
        "sum to int32 [], 1 time"
      ]
    },
    {
      reason: "kernels have conditions, but no tensors of bool",
      specs: [conditions, floats],
      outputs: (x, y) => [Expr.cast(x, "float32"), Expr.not(x), Expr.where(x, y, 0), Expr.cast(y, "bool")],
      lines: [
        "cast to float32 [3], 1 time",
        "not to bool [3], 1 time",
        "select to float32 [3], 1 time",
        "cast to bool [3], 1 time"
      ]
    },
    {
      reason: "kernels look only through axes of size 1",
      specs: [matrix],
      outputs: (x) => [Expr.reshape(x, [6])],
      lines: ["reshape to float32 [6], 1 time"]
    }
  ]

  for (const { lines, outputs, reason, specs } of reasons) {
    it(`say that ${reason}`, () => {
      const plan = planOf(specs, (...inputs) => {
        const [x = Expr.input(0, floats), y = x] = inputs
        return outputs(x, y)
      })
      const found = explainPlan(plan).split("\n")
      assert.deepStrictEqual(
        found.filter((line) => line.startsWith("not fused")),
        lines.map((line) => `not fused: ${line}: ${reason}`)
      )
    })
  }

  it.effect("count what tfjs reads and writes, too", () =>
    Effect.gen(function* () {
      const rule = Optimizer.leafwise(() => ({
        init: (x) => x,
        update: (_, g, x) => Expr.where(Expr.cast(Expr.cast(g, "bool"), "bool"), Expr.exp(x), Expr.transpose(x)),
        params: (x) => x
      }))
      const lines = (yield* Optimizer.explain(rule(), { w: new Float32Array(10) })).split("\n")
      // A cast of 4 bytes to 1, exp and transpose of 4 to 4, and a choice of 1 + 4 + 4 to 4.
      assert.include(lines, "memory: 21.0 bytes read and 13.0 written per parameter")
    })
  )
})

// --- kernels -----------------------------------------------------------------------------------------------------

/** The steps of a plan in short: for a kernel its operations and what becomes of results, for others their operation. */
const sketch = ({ program, steps }: Plan.Plan): ReadonlyArray<string> =>
  steps.map((step) => {
    if (step._tag === "Library") return program.nodes[step.node]?.operation.op ?? ""
    const { body, results } = step.kernel
    return `${body.map(({ op }) => op).join(" ")} → ${results.map(({ reduce }) => reduce ?? "store").join(" ")}`
  })

interface Sketch {
  readonly name: string
  readonly specs: ReadonlyArray<Expr.TensorSpec>
  readonly outputs: (x: Expr.Expr, y: Expr.Expr, z: Expr.Expr) => ReadonlyArray<Expr.Expr>
  readonly steps: ReadonlyArray<string>
}

const sketches: ReadonlyArray<Sketch> = [
  {
    name: "what waits for a reduction is computed where it is needed, not written before",
    specs: [float32(5), float32(5)],
    outputs: (x, y) => [Expr.add(Expr.mul(0.5, y), Expr.mul(x, Expr.sum(x)))],
    steps: [" → sum", "mul mul add → store"]
  },
  {
    name: "one number crosses between kernels rather than two",
    specs: [float32(5), float32(5), float32(5)],
    outputs: (x, y, z) => {
      const [a, b] = [Expr.sqrt(Expr.mul(x, y)), Expr.add(Expr.mul(y, z), 1)]
      return [Expr.mul(Expr.mul(a, b), Expr.add(Expr.sum(a), Expr.sum(b)))]
    },
    steps: ["mul sqrt mul add mul → store sum sum", "add → store", "mul → store"]
  },
  {
    name: "what a norm is taken of is made again from the gradient, not written",
    specs: [float32(5), float32(5)],
    outputs: (x, y) => {
      const decayed = Expr.add(y, Expr.mul(0.5, x))
      return [Expr.sub(x, Expr.mul(Expr.sum(Expr.square(decayed)), decayed))]
    },
    steps: ["mul add mul → sum", "mul add mul sub → store"]
  },
  {
    name: "nothing is made again from a state that has been written over by then",
    specs: [float32(5), float32(5), float32(5)],
    outputs: (x, y, z) => {
      const product = Expr.mul(x, z)
      return [Expr.sub(y, Expr.mul(Expr.sum(product), product)), Expr.add(x, z)]
    },
    steps: ["mul add → store store sum", "mul sub → store"]
  },
  {
    name: "what takes long is not made again",
    specs: [float32(5)],
    outputs: (x) => {
      const long = Array.from({ length: 9 }).reduce((y: Expr.Expr) => Expr.sqrt(y), x)
      return [Expr.mul(Expr.sum(long), long)]
    },
    steps: [`${"sqrt ".repeat(9).trim()} → store sum`, "mul → store"]
  },
  {
    name: "what is stretched is made once, not for each place where it is read",
    specs: [float32(3, 4), float32(3)],
    outputs: (x, y) => {
      const column = Expr.sqrt(y)
      return [Expr.mul(Expr.broadcastTo(Expr.reshape(column, [3, 1]), [3, 4]), Expr.mul(x, Expr.sum(column)))]
    },
    steps: ["sqrt → store sum", "mul mul → store"]
  },
  {
    name: "equal expressions are computed once",
    specs: [float32(5), float32(5)],
    outputs: (x, y) => [Expr.mul(Expr.add(x, y), Expr.add(x, y)), Expr.sqrt(Expr.add(x, y))],
    steps: ["add mul sqrt → store store"]
  },
  {
    name: "a sum of squares, and what else is made of them, is one kernel",
    specs: [float32(5)],
    outputs: (x) => [Expr.sum(Expr.square(x)), Expr.max(Expr.square(x)), Expr.min(Expr.square(x)), Expr.square(x)],
    steps: ["mul → store sum max min"]
  },
  {
    name: "a dot product is one kernel",
    specs: [float32(5), float32(5)],
    outputs: (x, y) => [Expr.sum(Expr.mul(x, y))],
    steps: ["mul → sum"]
  },
  {
    name: "a mean is a sum and one division, in kernels like other ones",
    specs: [float32(5), float32(3, 4)],
    outputs: (x, y) => [Expr.sub(x, Expr.mean(Expr.square(x))), Expr.mean(Expr.abs(y), { axes: [1] })],
    steps: ["mul → sum", "abs → sum", "div → store", "div → store", "sub → store"]
  },
  {
    name: "reductions over several axes join the kernel of their argument",
    specs: [float32(2, 3, 4)],
    outputs: (x) => [
      Expr.sum(Expr.abs(x), { axes: [0] }),
      Expr.max(Expr.abs(x), { axes: [1, 2], keepDims: true }),
      Expr.min(Expr.abs(x), { axes: [1] })
    ],
    steps: ["abs → sum max min", "reshape"]
  },
  {
    name: "a reduction of a tensor as it is needs no operation",
    specs: [float32(5)],
    outputs: (x) => [Expr.sum(x)],
    steps: [" → sum"]
  },
  {
    name: "what reads a reduction is a kernel of its own",
    specs: [float32(5)],
    outputs: (x) => [Expr.sub(x, Expr.max(Expr.square(x)))],
    steps: ["mul → max", "sub → store"]
  },
  {
    name: "numbers and vectors are stretched while they are read",
    specs: [float32(3, 4), float32(4)],
    outputs: (x, y) => [Expr.mul(Expr.add(x, Expr.max(x)), Expr.broadcastTo(y, [3, 4]))],
    steps: [" → max", "add mul → store"]
  },
  {
    name: "a stretched input is read where it is needed",
    specs: [float32(3, 4), float32(3)],
    outputs: (x, y) => [Expr.add(x, Expr.broadcastTo(Expr.reshape(y, [3, 1]), [3, 4]))],
    steps: ["add → store"]
  },
  {
    name: "axes of size 1 come and go within a kernel",
    specs: [float32(3, 4)],
    outputs: (x) => [Expr.neg(Expr.reshape(Expr.abs(Expr.reshape(x, [3, 1, 4])), [1, 3, 4, 1]))],
    steps: ["abs neg → store"]
  },
  {
    name: "a condition is computed again in every kernel that needs it, and never stored",
    specs: [float32(5)],
    outputs: (x) => {
      const positive = Expr.and(Expr.greater(x, 0), Expr.not(Expr.equal(x, 1)))
      const kept = Expr.where(positive, x, 0)
      return [Expr.where(positive, Expr.div(kept, Expr.sum(kept)), x)]
    },
    steps: ["greater equal not and select → sum", "greater equal not and select div select → store"]
  },
  {
    name: "a condition on a number is computed in the kernels that it governs",
    specs: [float32(), float32(5)],
    outputs: (x, y) => [Expr.where(Expr.less(x, 1), y, Expr.neg(y)), Expr.cast(Expr.less(y, 0), "float32")],
    steps: ["neg less select less unmask → store store"]
  },
  {
    name: "x·0, x + 0 and x − x stay what they are",
    specs: [float32(5)],
    outputs: (x) => [Expr.mul(x, 0), Expr.add(x, 0), Expr.sub(x, x)],
    steps: ["mul add sub → store store store"]
  },
  {
    name: "a tensor of one value is a scalar within kernels",
    specs: [float32(5)],
    outputs: (x) => [Expr.add(x, Expr.fullLike(x, 3)), Expr.fullLike(x, 4)],
    steps: [" → store", "add → store"]
  },
  {
    name: "operations that are not of kernels stand between them",
    specs: [float32(5)],
    outputs: (x) => [Expr.neg(Expr.exp(Expr.abs(x))), Expr.mul(Expr.abs(x), 2)],
    steps: ["abs mul → store store", "exp", "neg → store"]
  }
]

describe("kernels", () => {
  for (const { name, outputs, specs, steps } of sketches) {
    it(`are made so that ${name}`, () => {
      const plan = planOf(specs, (x, y, z) => (x === undefined ? [] : outputs(x, y ?? x, z ?? x)))
      assert.deepStrictEqual(sketch(plan), steps)
    })
  }

  it("of single numbers are not tied together by a number that all of them read", () => {
    const plan = planOf([float32(), float32(), float32(5)], (a, b, x) =>
      a === undefined || b === undefined || x === undefined ? [] : [Expr.mul(a, Expr.sum(x)), Expr.mul(b, Expr.sum(x))]
    )
    assert.deepStrictEqual(sketch(plan), [" → sum", "mul → store", "mul → store"])
    assert.strictEqual(keysOf(plan).size, 2)
  })

  it("of the same structure are the same, whatever sizes, ranks and numbers", () => {
    const keys = [float32(7), float32(), float32(3, 1, 4), float32(1, 1)].map((spec, index) => [
      ...keysOf(planOf([spec], (x) => (x === undefined ? [] : [Expr.add(Expr.mul(x, index + 2), index + 3)])))
    ])
    assert.deepStrictEqual(new Set(keys.flat()).size, 1)
  })

  it("of other structure are others", () => {
    const outputs: ReadonlyArray<(x: Expr.Expr) => Expr.Expr> = [
      (x) => Expr.add(x, 1),
      (x) => Expr.sub(x, 1),
      (x) => Expr.sub(1, x),
      (x) => Expr.sum(Expr.add(x, 1)),
      (x) => Expr.max(Expr.add(x, 1)),
      (x) => Expr.sum(Expr.add(x, 1), { axes: [0] }),
      (x) => Expr.sum(Expr.add(x, 1), { axes: [1] }),
      (x) => Expr.add(Expr.add(x, 1), 1),
      (x) => Expr.add(Expr.add(x, 1), 2)
    ]
    const keys = outputs.flatMap((output) => [
      ...keysOf(planOf([float32(3, 4)], (x) => (x === undefined ? [] : [output(x)])))
    ])
    assert.strictEqual(new Set(keys).size, outputs.length)
  })
})

// --- caches ------------------------------------------------------------------------------------------------------

const steps = Effect.fnUntraced(function* <S>(optimizer: Optimizer.Optimizer<S>, tree: object, first = 0) {
  let state = yield* optimizer.init(tree)
  for (let step = first; step < first + 3; step++) {
    const next = yield* optimizer.update(step, tree, state, { donate: step === first ? false : "state" })
    if (step === first) yield* Tensors.dispose(state)
    state = next
  }
  yield* Tensors.dispose(state)
})

layer(Allocator.layer)("modules", (it) => {
  it.effect("are compiled once: not for other step sizes, schedules, steps, sizes, ranks and trees", () =>
    Effect.gen(function* () {
      const tree = { w: new Float32Array(10), b: 1 }
      const adam = (stepSize: Optimizer.StepSize) => Optimizer.adam({ stepSize })
      assert.strictEqual(yield* compiled(steps(adam(0.1), tree)), 2) // zeros for the state, and the update
      const again = [
        steps(adam(0.2), tree),
        steps(adam(0.1), tree, 1000),
        steps(adam(Schedules.exponentialDecay({ stepSize: 1, decaySteps: 10, decayRate: 0.5 })), tree),
        steps(
          adam((step) => 1 / (step + 1)),
          tree
        ),
        steps(Optimizer.adam({ stepSize: 0.1, b1: 0.5, b2: 0.6, eps: 0.01 }), tree),
        steps(adam(0.1), [[new Float32Array(3), new Float32Array(0)], { deep: new Float32Array(999) }])
      ]
      for (const more of again) assert.strictEqual(yield* compiled(more), 0)
      const matrix = tf.ones([3, 4])
      assert.strictEqual(yield* compiled(steps(adam(0.1), [matrix, 2])), 0)
      matrix.dispose()
      assert.strictEqual(yield* compiled(steps(Optimizer.sgd({ stepSize: 0.1 }), tree)), 1)
    })
  )
})

/** Kernels that differ in their operations: those of the digits of a number. */
const numbered = (n: number): Plan.Plan =>
  planOf([float32(5)], (x) => {
    if (x === undefined) return []
    const digits = n.toString(2).padStart(11, "0").split("")
    return [digits.reduce((value, digit) => (digit === "0" ? Expr.add(value, x) : Expr.maximum(value, x)), x)]
  })

const count = 2000

/** So many sizes of a vector. */
const sizes = 10_000

layer(Allocator.layer)("caches", (it) => {
  it.effect(`are bounded under ${count} different kernels, each computed right`, () =>
    Effect.gen(function* () {
      const before = Allocator.allocations()
      const { executor, service } = yield* fused
      const data = Float32Array.of(1, 2, 3, 4, 5)
      const input = yield* Tensors.scoped(service.make({ shape: [5], data }))
      const first = (n: number) =>
        service
          .execute({
            plan: numbered(n),
            inputs: [input],
            scalars: new Float64Array(0),
            donatedFrom: 1,
            renewHandles: true
          })
          .pipe(
            Effect.tap((outputs) =>
              Effect.sync(() => {
                const [found] = outputs.map((output) => output.dataSync()[0])
                // The first element is 1: every addition adds 1, and no maximum changes anything.
                assert.strictEqual(found, 12 - n.toString(2).replaceAll("0", "").length)
              })
            ),
            Effect.flatMap(Tensors.dispose)
          )
      const all = Effect.gen(function* () {
        for (let n = 0; n < count; n++) {
          yield* first(n)
          if (n % 300 === 0) yield* first(0) // what is in use stays
        }
      })
      assert.strictEqual(yield* compiled(all), count)
      const [modules, pieces] = [executor.modules.size, Allocator.allocations() - before]
      assert.isAtMost(modules, 512)
      assert.isAtMost(pieces, 1 + 64) // the input, and a block for each of the latest plans
      assert.strictEqual(yield* compiled(first(count - 1)), 0)
      assert.strictEqual(yield* compiled(first(0)), 0)
      assert.strictEqual(yield* compiled(first(1)), 1)
      for (let n = 0; n < 100; n++) yield* first(n)
      assert.deepStrictEqual([executor.modules.size, Allocator.allocations() - before], [modules, pieces])
    }).pipe(Effect.scoped)
  )

  it.effect(
    `are bounded under ${sizes} different shapes, and one kernel serves them all`,
    () =>
      Effect.gen(function* () {
        const adam = Optimizer.adam({ stepSize: 0.1 })
        const both = Effect.forEach(
          Array.from({ length: sizes }, (_, index) => index),
          (size) => steps(adam, [new Float32Array(size)]),
          { discard: true }
        )
        yield* steps(adam, [new Float32Array(sizes)])
        const before = { pieces: Allocator.allocations(), ...tf.memory() }
        assert.strictEqual(yield* compiled(both), 0)
        assert.isAtMost(Allocator.allocations() - before.pieces, 64)
        assert.strictEqual(tf.memory().numTensors, before.numTensors)
        const { heapBytes } = yield* (yield* Tensors.Tensors).memory
        assert.isAtMost(heapBytes ?? 0, 2 ** 25)
      }),
    120_000
  )
})
