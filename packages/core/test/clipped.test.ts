/**
 * Clipping in the program of the update: the numbers of both one after the other, in fewer passes over memory.
 */
import { Optimizer, type OptimizerState, Tensors, Train, Transform } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Stream from "effect/Stream"
import { backends } from "./support/backends.ts"
import { catalogue, typical } from "./support/catalogue.ts"
import { leavesNothing } from "./support/memory.ts"
import { contents, values } from "./support/numbers.ts"
import { gradients, params, problem } from "./support/problems.ts"
import { forAll } from "./support/property.ts"
import { Modules } from "../src/internal/wasm/modules.ts"
import { prepare } from "../src/internal/wasm/prepare.ts"
import { heap } from "./support/executors.ts"

const { dispose, scoped } = Tensors

type Any = Optimizer.Optimizer<unknown>

type AnyState = OptimizerState.OptimizerState<unknown, unknown>

const owned = <A>(make: () => A) => scoped(Effect.sync(make))

/** The same optimizer, of whose `update` nothing is known. */
const foreign = (optimizer: Any): Any => {
  const update: Any["update"] = (...args) => optimizer.update(...args)
  const { hyperParameters, init, name, params, trace } = optimizer
  return Object.assign([init, update, params] as const, { hyperParameters, init, name, params, trace, update })
}

/** Clips and updates one after the other. */
const oneByOne = Effect.fnUntraced(function* (
  optimizer: Any,
  step: number,
  grads: unknown,
  state: AnyState,
  maxNorm: number
) {
  const clipped = yield* scoped(Optimizer.clipGrads(grads, maxNorm))
  return yield* scoped(optimizer.update(step, clipped, state))
})

const norms = [0, 0.5, 3, Number.POSITIVE_INFINITY]

for (const backend of backends) {
  layer(backend.layer)(`clipped on ${backend.name}`, (it) => {
    for (const row of catalogue) {
      for (const [kind, made] of [
        ["itself", (optimizer: Any) => optimizer],
        ["one of which nothing is known", foreign]
      ] as const) {
        it.effect(`${row.name}, ${kind}, gives the numbers of clipGrads and the update, bit for bit`, () =>
          forAll(
            problem,
            Effect.fnUntraced(function* (drawn) {
              const inner = typical(row)
              for (const maxNorm of norms) {
                const clipping = Optimizer.clipped(made(inner), { maxNorm })
                let expected = yield* scoped(inner.init(yield* owned(() => params(drawn))))
                let found = yield* scoped(clipping.init(yield* owned(() => params(drawn))))
                for (let step = 0; step < 2; step++) {
                  const grads = yield* owned(() => gradients(drawn, step))
                  expected = yield* oneByOne(inner, step, grads, expected, maxNorm)
                  found = yield* scoped(clipping.update(step, grads, found))
                  assert.deepStrictEqual(yield* contents(found), yield* contents(expected))
                }
              }
            }),
            { numRuns: 6 }
          )
        )
      }
    }

    for (const made of [(optimizer: Any) => optimizer, foreign]) {
      const kind = made === foreign ? "around an update of which nothing is known" : "in one program"

      it.effect(`${kind}: gradients and state are consumed as they were given, and stay if the update fails`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const clipping = Optimizer.clipped(made(Optimizer.momentum({ stepSize: 1, mass: 0.5 }) as Any), {
              maxNorm: 5
            })
            const point = [0, Float32Array.of(0, 0)]
            for (const donate of [false, "state", true] as const) {
              const state = yield* scoped(clipping.init(point))
              const grads = yield* owned(() => [tf.scalar(0), tf.tensor1d([30, 40])])
              const failed = yield* Effect.exit(clipping.update(-1, grads, state, { donate }))
              assert.strictEqual(failed._tag, "Failure")
              assert.deepStrictEqual(
                grads.map(({ isDisposed }) => isDisposed),
                [false, false]
              )
              const next = yield* scoped(clipping.update(0, grads, state, { donate }))
              assert.deepStrictEqual(yield* values(clipping.params(next)), [[0], [-3, -4]])
              assert.deepStrictEqual(
                grads.map(({ isDisposed }) => isDisposed),
                [donate === true, donate === true]
              )
              const again = yield* Effect.exit(clipping.update(1, grads, state))
              assert.strictEqual(again._tag, donate === false ? "Success" : "Failure")
              if (again._tag === "Success") yield* dispose(again.value)
            }
          })
        )
      )
    }

    it.effect("has name, state and slots of the optimizer within, and says what it was made with", () =>
      leavesNothing(
        Effect.gen(function* () {
          const adam = Optimizer.adam({ stepSize: 0.5 })
          const clipping = pipe(adam, Optimizer.clipped({ maxNorm: 2 }))
          assert.strictEqual(clipping.name, "adam")
          assert.deepStrictEqual(clipping.hyperParameters, { ...adam.hyperParameters, maxNorm: 2 })
          const state = yield* scoped(adam.init({ w: 1 }))
          const next = yield* scoped(clipping.update(0, { w: 8 }, state))
          const last = yield* scoped(adam.update(1, { w: 8 }, next))
          assert.deepStrictEqual((yield* values(adam.params(last))).flat().map(Math.round), [0])
        })
      )
    )

    it.effect("clips before a transform, and hands on the numbers that it needs", () =>
      leavesNothing(
        Effect.gen(function* () {
          const polyak = Optimizer.fromTransform(
            Transform.chain(Transform.scaleByPolyak(), Transform.scaleByLearningRate({ learningRate: 1 }))
          )
          const clipping = Optimizer.clipped(polyak, { maxNorm: 5 })
          const state = yield* scoped(clipping.init([0, 0]))
          const next = yield* scoped(clipping.update(0, [30, 40], state, { value: 10, donate: true }))
          // A step of value/‖g‖², taken of the clipped gradient [3, 4].
          const [[x = 0] = [], [y = 0] = []] = yield* values(clipping.params(next))
          assert.approximately(x, (-3 * 10) / 25, 1e-6)
          assert.approximately(y, (-4 * 10) / 25, 1e-6)
        })
      )
    )

    it.effect("clips twice if told to", () =>
      leavesNothing(
        Effect.gen(function* () {
          const sgd = Optimizer.sgd({ stepSize: 1 })
          const twice = Optimizer.clipped(Optimizer.clipped(sgd, { maxNorm: 10 }), { maxNorm: 5 })
          const state = yield* scoped(twice.update(0, [30, 40], yield* scoped(twice.init([0, 0]))))
          assert.deepStrictEqual((yield* values(twice.params(state))).flat(), [-3, -4])
        })
      )
    )

    it.effect("trains", () =>
      leavesNothing(
        Effect.gen(function* () {
          const trainer = yield* Train.make({
            optimizer: Optimizer.clipped(Optimizer.sgd({ stepSize: 1 }), { maxNorm: 0.5 }),
            params: { mean: 0 },
            loss: ({ mean }: { readonly mean: tf.Scalar }, target: number): Tensor =>
              tf.squaredDifference(mean, target),
            batches: Stream.make(8, 8, 8)
          })
          yield* Stream.runDrain(trainer.steps)
          assert.deepStrictEqual(yield* values(yield* trainer.params), [[1.5]])
        })
      )
    )
  })
}

layer(Wasm.layer)("explained", (it) => {
  it.effect("one pass for the norm, the norm, one pass for the update, nothing between them stored", () =>
    Effect.gen(function* () {
      const adam = Optimizer.clipped(Optimizer.adam({ stepSize: 0.1 }), { maxNorm: 1 })
      const tree = { w: new Float32Array(1000), b: new Float32Array(100) }
      const lines = (yield* Optimizer.explain(adam, tree)).split("\n")
      assert.deepStrictEqual(
        lines.filter((line) => !/^ {4}v\d/.test(line)),
        [
          "adam.update: 2 leaves, 1100 parameters",
          "state: m, v, x; 3.00 numbers per parameter",
          "memory: 20.0 bytes read and 12.0 written per parameter",
          "executed: fused kernels in WebAssembly SIMD, in place where donated",
          "kernel 1: applied 2 times, 1100 elements",
          "    1 input, 0 scalars, 1 result; per element 4.0 bytes read, 0.0 written",
          "    out0 = sum(v0)",
          "kernel 2: applied 1 time, 1 element",
          "    2 inputs, 1 scalar, 1 result; per element 8.0 bytes read, 4.0 written",
          "    out0 = v4",
          "kernel 3: applied 2 times, 1100 elements",
          "    5 inputs, 6 scalars, 3 results; per element 16.0 bytes read, 12.0 written",
          "    out0 = v3",
          "    out1 = v7",
          "    out2 = v12"
        ]
      )
      const { update } = yield* adam.trace(tree)
      assert.deepStrictEqual(
        update.steps.filter(({ _tag }) => _tag === "Library"),
        []
      )
      // Two sums and the factor.
      assert.strictEqual(prepare(update, new Modules(heap().memory)).temporaryBytes, 3 * 16)
    })
  )

  it.effect("shares its kernels with every other norm", () =>
    Effect.gen(function* () {
      // Not with a norm of 1, where two scalars are one.
      const keys = yield* Effect.forEach([2, 3], (maxNorm) =>
        Effect.map(
          Optimizer.clipped(Optimizer.adam({ stepSize: 0.1 }), { maxNorm }).trace([new Float32Array(9)]),
          ({ update }) => update.steps.map((step) => (step._tag === "Fused" ? step.key : step.node))
        )
      )
      assert.deepStrictEqual(keys[0], keys[1])
    })
  )
})
