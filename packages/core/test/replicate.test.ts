/**
 * Leaves that are alike are traced and planned once. What comes of it must be what tracing and planning the whole gives.
 */
import { Expr, Optimizer, Plan, Program, Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { type Preceded, preceded } from "../src/internal/optimizer/leafwise.ts"
import { replicate } from "../src/internal/plan/replicate.ts"
import { Modules } from "../src/internal/wasm/modules.ts"
import { prepare } from "../src/internal/wasm/prepare.ts"
import { catalogue, typical } from "./support/catalogue.ts"
import { heap } from "./support/executors.ts"

/** The same optimizer, planned as a whole: something is done to its gradients, which is nothing. */
const wholly = (optimizer: Optimizer.Optimizer<unknown>): Optimizer.Optimizer<unknown> => {
  // Every optimizer of the catalogue is made of a rule.
  const { [preceded]: precede } = optimizer.update as Optimizer.Update<unknown> & Preceded<unknown>
  return precede((grads) => grads, {})
}

const resultOf = (step: Plan.FusedPlanStep): number =>
  step._tag === "Fused" ? (step.results[0]?.node ?? -1) : step.node

/** In the order of what they compute: which of several independent steps comes first is free. */
const sorted = ({ steps }: Plan.Plan): ReadonlyArray<Plan.FusedPlanStep> =>
  steps.toSorted((a, b) => resultOf(a) - resultOf(b))

const shapes: ReadonlyArray<ReadonlyArray<number>> = [[3, 4], [5], [], [3, 4], [0], [5], [2, 1, 3], [3, 4], [], [4, 3]]

const leaves = Effect.acquireRelease(
  Effect.sync(() => ({ a: shapes.map((shape) => tf.zeros([...shape])), b: [new Float32Array(5), 1] })),
  Tensors.dispose
)

layer(Wasm.layer)("updates leaf by leaf", (it) => {
  for (const row of catalogue) {
    it.effect(`${row.name}: the program and the steps of the whole`, () =>
      Effect.gen(function* () {
        const tree = yield* leaves
        const { update: found } = yield* typical(row).trace(tree)
        const { update: expected } = yield* wholly(typical(row)).trace(tree)
        assert.deepStrictEqual(found.program, expected.program)
        assert.deepStrictEqual(found.releases, expected.releases)
        assert.deepStrictEqual(sorted(found), sorted(expected))
        assert.deepStrictEqual(Program.verify(found.program), [])
      }).pipe(Effect.scoped)
    )
  }

  it.effect("kernels of one kind are one call, wherever their leaves stand", () =>
    Effect.gen(function* () {
      const { update } = yield* Optimizer.sm3({ stepSize: 0.1 }).trace(yield* leaves)
      const kernels = new Set(update.steps.map((step) => (step._tag === "Fused" ? step.key : "")))
      const { calls } = prepare(update, new Modules(heap().memory))
      assert.strictEqual(calls.length, kernels.size)
    }).pipe(Effect.scoped)
  )

  it.effect("a rule that reduces and is not fused keeps its order, leaf by leaf", () =>
    Effect.gen(function* () {
      const centred = Optimizer.leafwise(() => ({
        init: (x) => ({ x, e: x }),
        update: (_, g, { x }) => ({ x: Expr.sub(x, Expr.sub(g, Expr.max(g))), e: Expr.exp(Expr.neg(Expr.exp(g))) }),
        params: ({ x }) => x
      }))
      const { update } = yield* centred().trace({ a: [1, 2], b: new Float32Array(3), c: new Float32Array(3) })
      const done = new Set(update.program.nodes.flatMap(({ operation }, id) => (operation.op === "input" ? [id] : [])))
      for (const step of update.steps) {
        const read =
          step._tag === "Fused"
            ? step.inputs.map(({ node }) => node)
            : (update.program.nodes[step.node]?.args ?? []).map(({ id }) => id)
        for (const id of read) assert.isTrue(done.has(id), `${id} is read before it is written`)
        const written = step._tag === "Fused" ? step.results.map(({ node }) => node) : [step.node]
        for (const id of written) done.add(id)
      }
      for (const id of update.program.outputs) assert.isTrue(done.has(id))
    })
  )
})

describe("parts of a whole", () => {
  const spec = { shape: [2], dtype: "float32" } as const
  const planOf = (output: (x: Expr.Expr) => Expr.Expr): Plan.Plan =>
    Plan.make(Program.make([spec], [output(Expr.input(0, spec))]))

  it("share their scalars, whatever plan they come from", () => {
    const [scaled, moved] = [planOf((x) => Expr.mul(x, 0.1)), planOf((x) => Expr.mul(0.1, Expr.add(x, 2)))]
    const plan = replicate(
      [spec, spec, spec],
      [
        { plan: scaled, inputs: [0] },
        { plan: moved, inputs: [1] },
        { plan: scaled, inputs: [2] }
      ]
    )
    assert.strictEqual(
      Program.print(plan.program),
      [
        "s0 = 0.1",
        "s1 = 2",
        "%0: float32 [2] = input(index=0)",
        "%1: float32 [2] = mul(%0, s0)",
        "%2: float32 [2] = input(index=1)",
        "%3: float32 [2] = add(%2, s1)",
        "%4: float32 [2] = mul(s0, %3)",
        "%5: float32 [2] = input(index=2)",
        "%6: float32 [2] = mul(%5, s0)",
        "return %1, %4, %6"
      ].join("\n")
    )
    assert.deepStrictEqual(
      plan.steps.map((step) => [resultOf(step), step._tag === "Fused" ? step.scalars : []]),
      [
        [1, [0]],
        [6, [0]],
        [4, [1, 0]]
      ]
    )
  })

  it("may be none", () => {
    assert.deepStrictEqual(replicate([], []), {
      program: { inputs: [], scalars: [], nodes: [], outputs: [], results: [] },
      steps: [],
      releases: []
    })
  })
})
