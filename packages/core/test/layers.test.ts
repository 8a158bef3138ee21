/**
 * Layers among each other: none depends on tfjs' current backend, none changes it.
 *
 * The first test needs a process in which no backend is up, and brings both up for the others.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { Autodiff, Expr, Optimizer, Plan, Program, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

const { dispose, scoped } = Tensors

const cpu = Effect.provide(Tensors.Tensors, Cpu.layer)
const wasm = Effect.provide(Tensors.Tensors, Wasm.layer)
const both = Effect.all([cpu, wasm])

const spec = { shape: [2], dtype: "float32" } as const
const plan = Plan.make(Program.make([spec], [Expr.exp(Expr.input(0, spec))]))
const numbers = { shape: [2], data: Float32Array.of(0, 0) }

/** The name of the backend that holds the numbers of a tensor. */
const placeOf = ({ dataId }: tf.Tensor): string | undefined => {
  const { registry, state } = tf.engine()
  const holder = state.tensorInfo.get(dataId)?.backend
  return Object.keys(registry).find((name) => registry[name] === holder)
}

const execute = (tensors: Tensors.Tensors["Service"], input: tf.Tensor) =>
  scoped(tensors.execute({ plan, inputs: [input], scalars: new Float64Array(0), donatedFrom: 1, renewHandles: true }))

const onlyOf = ([tensor]: ReadonlyArray<tf.Tensor>): tf.Tensor => tensor ?? assert.fail("no output")

describe("while a layer comes up", () => {
  it.effect("another computes, and comes up itself", () =>
    Effect.gen(function* () {
      const { registry, registryFactory } = tf.engine()
      assert.isUndefined(registry["wasm"])
      const makes = vi.spyOn(registryFactory["wasm"] ?? assert.fail("nothing to make"), "factory")
      const starting = yield* Effect.forkChild(Effect.all([wasm, wasm], { concurrency: 2 }), { startImmediately: true })
      const tensors = yield* cpu
      const output = onlyOf(yield* execute(tensors, yield* scoped(tensors.make(numbers))))
      assert.deepStrictEqual(yield* tensors.read(output), Float32Array.of(1, 1))
      const [one, other] = yield* Fiber.join(starting)
      assert.strictEqual(one.backend, "wasm")
      assert.strictEqual(other.backend, "wasm")
      assert.strictEqual(makes.mock.calls.length, 1)
    })
  )
})

for (const current of ["cpu", "wasm"]) {
  describe(`with ${current} as tfjs' current backend`, () => {
    const unmoved = (name: string, test: Effect.Effect<void, unknown, Scope.Scope>) =>
      it.effect(name, () =>
        Effect.gen(function* () {
          yield* Effect.promise(() => tf.setBackend(current))
          yield* test
          assert.strictEqual(tf.getBackend(), current)
        })
      )

    unmoved("providing a layer leaves it the current one", Effect.asVoid(both))

    unmoved(
      "everything that a layer makes is on its own backend",
      Effect.gen(function* () {
        for (const tensors of yield* both) {
          const made = yield* scoped(tensors.make(numbers))
          assert.strictEqual(placeOf(made), tensors.backend)
          const shared = yield* scoped(tensors.share(made))
          assert.deepStrictEqual([made, shared].map(placeOf), [tensors.backend, tensors.backend])
          const output = onlyOf(yield* execute(tensors, shared))
          assert.deepStrictEqual([shared, output].map(placeOf), [tensors.backend, tensors.backend])
          assert.deepStrictEqual(yield* tensors.read(output), Float32Array.of(1, 1))
        }
      })
    )

    unmoved(
      "what one layer made another can use",
      Effect.gen(function* () {
        const [one, other] = yield* both
        for (const [maker, user] of [
          [one, other],
          [other, one]
        ] as const) {
          const output = onlyOf(yield* execute(user, yield* scoped(maker.make(numbers))))
          assert.strictEqual(placeOf(output), user.backend)
          assert.deepStrictEqual(yield* maker.read(output), Float32Array.of(1, 1))
        }
      })
    )

    unmoved(
      "training on both in turns is training on each",
      Effect.gen(function* () {
        const adam = Optimizer.adam({ stepSize: 0.1 })
        const loss = (x: tf.Tensor1D): tf.Scalar => tf.sum(tf.square(x))
        const step = (backend: typeof Cpu.layer, t: number, state: Effect.Success<ReturnType<typeof start>>) =>
          Effect.gen(function* () {
            const { grads } = yield* Autodiff.valueAndGrad(loss)(adam.params(state))
            assert.strictEqual(placeOf(grads), (yield* Tensors.Tensors).backend)
            return yield* adam.update(t, grads, state, { donate: true })
          }).pipe(Effect.provide(backend))
        const start = () => adam.init(Float32Array.of(1, -2, 3)).pipe(Effect.provide(Cpu.layer))
        const train = Effect.fnUntraced(function* (backends: ReadonlyArray<typeof Cpu.layer>) {
          let state = yield* start()
          for (const [t, backend] of backends.entries()) state = yield* step(backend, t, state)
          const result = [...adam.params(state).dataSync()]
          yield* dispose(state)
          return result
        })
        const alternating = yield* train([Cpu.layer, Wasm.layer, Cpu.layer, Wasm.layer])
        assert.deepStrictEqual(alternating, yield* train([Cpu.layer, Cpu.layer, Cpu.layer, Cpu.layer]))
        assert.deepStrictEqual(alternating, yield* train([Wasm.layer, Wasm.layer, Wasm.layer, Wasm.layer]))
      })
    )

    unmoved(
      "a loss is computed on the layer's backend, and one that throws changes nothing",
      Effect.gen(function* () {
        const seen: Array<string> = []
        const loss = (x: tf.Scalar): tf.Scalar => {
          seen.push(tf.getBackend())
          if (seen.length > 2) throw new Error("enough")
          return tf.square(x)
        }
        for (const backend of [Cpu.layer, Wasm.layer]) {
          const { grads } = yield* Autodiff.valueAndGrad(loss)(1).pipe(Effect.provide(backend))
          yield* dispose(grads)
        }
        assert.deepStrictEqual(seen, ["cpu", "wasm"])
        for (const backend of [Cpu.layer, Wasm.layer]) {
          const exit = yield* Effect.exit(Autodiff.valueAndGrad(loss)(1).pipe(Effect.provide(backend)))
          assert.isTrue(Exit.isFailure(exit))
          assert.strictEqual(tf.getBackend(), current)
        }
      })
    )
  })
}
