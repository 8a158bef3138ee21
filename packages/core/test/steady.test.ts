/**
 * The steady state of training: the same layout, the same state written in place, the same gradients as last time. What
 * is not looked at again there must be found all the same when it changes.
 */
import { Expr, Optimizer, type OptimizerState, Plan, Program, Tensors } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Allocator from "./support/allocator.ts"
import { fused } from "./support/executors.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"

const { dispose, scoped } = Tensors

//   v ← v + g      x ← x − v
const optimizer = Optimizer.momentum({ stepSize: 1, mass: 1 })

const vector = (...numbers: ReadonlyArray<number>): Tensor1D => tf.tensor1d([...numbers])

type Params = { a: Tensor1D; b: Tensor1D }

type State = OptimizerState.OptimizerState<Params, { readonly x: Tensor; readonly v: Tensor }>

interface Training {
  state: State
  readonly grads: { [name: string]: Tensor }
  readonly step: (t: number) => Effect.Effect<void, unknown, Tensors.Tensors>
}

/** Some steps with the same tree of gradients, so that all is as it was last time. */
const trained = Effect.fnUntraced(function* (): Effect.fn.Return<Training, unknown, Tensors.Tensors> {
  const params = { a: vector(0, 0), b: vector(0, 0, 0) }
  const grads = { a: vector(1, 2), b: vector(1, 1, 1) }
  const state = yield* optimizer.init(params)
  yield* dispose(params)
  const training: Training = {
    state,
    grads,
    // Gradients that do not fit are what is tried here.
    step: (t) =>
      Effect.map(optimizer.update(t, training.grads as Params, training.state, { donate: "state" }), (next) => {
        training.state = next
      })
  }
  for (let t = 0; t < 5; t++) yield* training.step(t)
  return training
})

const training = Effect.acquireRelease(trained(), ({ grads, state }) => dispose([grads, state]))

const failure = (effect: Effect.Effect<unknown, unknown, Tensors.Tensors>) => Effect.map(Effect.flip(effect), String)

layer(Allocator.layer)("after steps like this one", (it) => {
  it.effect("gradients that were disposed are found", () =>
    leavesNothing(
      Effect.gen(function* () {
        const { grads, step } = yield* training
        grads["b"]?.dispose()
        assert.include(yield* failure(step(5)), "['b']")
      })
    )
  )

  it.effect("a gradient of another shape, at the same place of the same tree, is found", () =>
    leavesNothing(
      Effect.gen(function* () {
        const { grads, step } = yield* training
        grads["a"]?.dispose()
        grads["a"] = vector(1, 2, 3)
        assert.include(yield* failure(step(5)), "expected float32 [2]   found float32 [3]")
      })
    )
  )

  it.effect("a gradient more, or less, is found", () =>
    leavesNothing(
      Effect.gen(function* () {
        const { grads, step } = yield* training
        const { b } = grads
        grads["c"] = vector(1)
        assert.include(yield* failure(step(5)), "['c']")
        grads["c"].dispose()
        delete grads["c"]
        delete grads["b"]
        assert.include(yield* failure(step(5)), "['b']")
        b?.dispose()
      })
    )
  )

  it.effect("a disposed tensor of the state is found", () =>
    leavesNothing(
      Effect.gen(function* () {
        const held = yield* training
        held.state.leaves[2]?.dispose()
        assert.include(yield* failure(held.step(5)), "DisposedTensor")
      })
    )
  )

  it.effect("other gradients of the same shape are the ones that count", () =>
    leavesNothing(
      Effect.gen(function* () {
        const held = yield* training
        held.grads["a"]?.dispose()
        held.grads["a"] = vector(-5, -10)
        // v was 5·g, and g turned round takes it back to nothing; x stays at −(1 + 2 + … + 5)·g.
        yield* held.step(5)
        assert.deepStrictEqual(yield* values(optimizer.params(held.state)), [
          [-15, -30],
          [-21, -21, -21]
        ])
      })
    )
  )

  it.effect("a gradient that is a parameter is read before it is written", () =>
    leavesNothing(
      Effect.gen(function* () {
        const held = yield* training
        held.grads["a"]?.dispose()
        const { a } = optimizer.params(held.state)
        held.grads["a"] = tf.keep(tf.reshape(a, [2]))
        // x = −15·g and v = 5·g before, so v becomes −10·g, and x −5·g.
        yield* held.step(5)
        assert.deepStrictEqual(yield* values(optimizer.params(held.state)), [
          [-5, -10],
          [-21, -21, -21]
        ])
        assert.deepStrictEqual(yield* values(held.grads["a"]), [[-15, -30]])
      })
    )
  )

  it.effect("what tfjs keeps of a matrix that it multiplied is not used again", () =>
    leavesNothing(
      Effect.gen(function* () {
        const { service } = yield* fused
        const spec = { shape: [2, 2], dtype: "float32" } as const
        const plan = Plan.make(Program.make([spec], [Expr.add(Expr.input(0, spec), 1)]))
        const matrix = yield* scoped(service.make({ shape: [2, 2], data: new Float32Array(4) }))
        for (let step = 0; step < 6; step++) {
          const [same] = yield* service.execute({
            plan,
            inputs: [matrix],
            scalars: Program.evaluateScalars(plan.program, []),
            donatedFrom: 0,
            renewHandles: false
          })
          assert.strictEqual(same, matrix)
          // In some steps, so that others follow each other with nothing between.
          if (step % 3 === 0) continue
          const product = yield* scoped(service.run(() => tf.matMul(tf.ones([1, 2]), matrix)))
          assert.deepStrictEqual(yield* values(product), [[2 * (step + 1), 2 * (step + 1)]])
        }
      })
    )
  )
})
