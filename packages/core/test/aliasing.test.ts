/**
 * Aliasing: one tensor in several places, and tensors that somebody else still looks at.
 *
 * Donated buffers may be written in place, so every case here runs with and without donation, and must give the numbers
 * that tensors of their own would give.
 */
import { Autodiff, DonatedStateUsed, type Expr, Optimizer, OptimizerState, Tensors } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { contents, tensorsOf, values } from "./support/numbers.ts"

const { dispose, scoped } = Tensors

//   v ← v/2 + g      x ← x − v/2
const optimizer = Optimizer.momentum({ stepSize: 0.5, mass: 0.5 })

const vector = (...numbers: ReadonlyArray<number>): Tensor1D => tf.tensor1d([...numbers])

const owned = <A>(make: () => A) => scoped(Effect.sync(make))

for (const backend of backends) {
  layer(backend.layer)(`aliasing on ${backend.name}`, (it) => {
    for (const donate of [false, true]) {
      const how = donate ? "donated" : "pure"

      it.effect(`one tensor at two leaves of the parameters, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const shared = yield* owned(() => vector(1, 2))
            const first = yield* scoped(optimizer.init({ a: shared, b: [shared] }))
            const grads = yield* owned(() => ({ a: vector(2, 4), b: [vector(0, 2)] }))
            const second = yield* scoped(optimizer.update(0, grads, first, { donate }))
            assert.deepStrictEqual(yield* values(optimizer.params(second)), [
              [0, 0],
              [1, 1]
            ])
            assert.deepStrictEqual(yield* values(shared), [[1, 2]])
          })
        )
      )

      it.effect(`one tensor at two leaves of the gradients, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const first = yield* scoped(optimizer.init([Float32Array.of(1, 2), Float32Array.of(3, 4)]))
            const shared = yield* owned(() => vector(2, 4))
            const second = yield* scoped(optimizer.update(0, [shared, shared], first, { donate }))
            assert.deepStrictEqual(yield* values(optimizer.params(second)), [
              [0, 0],
              [2, 2]
            ])
            assert.strictEqual(shared.isDisposed, donate)
          })
        )
      )

      it.effect(`gradients that are the parameters, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const given = yield* owned(() => vector(2, 4))
            const first = yield* scoped(optimizer.init([given]))
            const second = yield* scoped(optimizer.update(0, optimizer.params(first), first, { donate }))
            assert.deepStrictEqual(yield* contents(second), [
              { shape: [2], dtype: "float32", data: [2, 4] },
              { shape: [2], dtype: "float32", data: [1, 2] }
            ])
            const third = yield* scoped(optimizer.update(1, [given], second, { donate }))
            assert.deepStrictEqual(yield* values(optimizer.params(third)), [[-0.5, -1]])
            assert.strictEqual(given.isDisposed, donate)
          })
        )
      )

      it.effect(`gradients that are a slot of the state, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const first = yield* scoped(optimizer.init([Float32Array.of(1, 2)]))
            const second = yield* scoped(optimizer.update(0, [Float32Array.of(2, 4)], first, { donate }))
            const [joined] = OptimizerState.unpack(second)
            const velocity = joined?.subtree.v as Tensor1D
            const third = yield* scoped(optimizer.update(1, [velocity], second, { donate }))
            assert.deepStrictEqual(yield* values(third), [
              [3, 6],
              [-1.5, -3]
            ])
          })
        )
      )

      it.effect(`a clone and a reshape of the state keep their numbers, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            let state = yield* scoped(optimizer.init([Float32Array.of(1, 2)]))
            const views = []
            for (let step = 0; step < 3; step++) {
              const seen = state.leaves.flatMap((leaf) => [tf.clone(leaf), tf.reshape(leaf, [2, 1])])
              yield* owned(() => seen)
              views.push({ seen, before: yield* values(seen) })
              const grads = yield* owned(() => [vector(1, -1)])
              state = yield* scoped(optimizer.update(step, grads, state, { donate }))
            }
            for (const { before, seen } of views) assert.deepStrictEqual(yield* values(seen), before)
          })
        )
      )

      it.effect(`a clone of the gradients keeps its numbers, ${how}`, () =>
        leavesNothing(
          Effect.gen(function* () {
            let state = yield* scoped(optimizer.init([Float32Array.of(1, 2)]))
            const grad = yield* owned(() => vector(1, -1))
            const clone = yield* owned(() => tf.clone(grad))
            state = yield* scoped(optimizer.update(0, [grad], state, { donate }))
            assert.deepStrictEqual(yield* values(clone), [[1, -1]])
            state = yield* scoped(optimizer.update(1, [clone], state, { donate }))
            assert.deepStrictEqual(yield* values(optimizer.params(state)), [[-0.25, 3.25]])
          })
        )
      )
    }

    const firstSteps = Effect.gen(function* () {
      const first = yield* optimizer.init([1])
      // In place for some steps, so that there is a steady state to disturb.
      const second = yield* optimizer.update(0, [1], first, { donate: true })
      return yield* optimizer.update(1, [1], second, { donate: true })
    })

    const handles = {
      params: (state: Effect.Success<typeof firstSteps>) => optimizer.params(state),
      leaves: ({ leaves }: Effect.Success<typeof firstSteps>) => leaves,
      packedState: ({ packedState }: Effect.Success<typeof firstSteps>) => packedState
    }

    for (const [name, show] of Object.entries(handles)) {
      it.effect(`${name} of a donated state are gone, and never show the numbers of the new one`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const state = yield* firstSteps
            const shown = tensorsOf(show(state))
            const next = yield* optimizer.update(2, [1], state, { donate: true })
            assert.isNotEmpty(shown)
            assert.isTrue(shown.every(({ isDisposed }) => isDisposed))
            // What nobody was shown is donated on, and what somebody was shown is gone again.
            const later = yield* optimizer.update(3, [1], next, { donate: true })
            const params = tensorsOf(optimizer.params(later))
            const last = yield* scoped(optimizer.update(4, [1], later, { donate: true }))
            assert.isTrue(params.every(({ isDisposed }) => isDisposed))
            assert.isFalse(last.leaves.some(({ isDisposed }) => isDisposed))
          })
        )
      )
    }

    it.effect("a packed copy of a donated state is refused", () =>
      leavesNothing(
        Effect.gen(function* () {
          const first = yield* firstSteps
          const alias = OptimizerState.pack<unknown, Optimizer.Slots<{ readonly x: Expr.Expr; readonly v: Expr.Expr }>>(
            OptimizerState.unpack(first)
          )
          yield* scoped(optimizer.update(2, [1], first, { donate: true }))
          const error = yield* Effect.flip(optimizer.update(3, [1], alias))
          assert.strictEqual(error._tag, "DisposedTensor")
        })
      )
    )

    it.effect("a donated copy of a state takes the handles of the state with it", () =>
      leavesNothing(
        Effect.gen(function* () {
          const first = yield* firstSteps
          const copy = new OptimizerState.OptimizerState(first.treeDef, first.subtreeDefs, first.leaves)
          yield* scoped(optimizer.update(2, [1], copy, { donate: true }))
          const error = yield* Effect.flip(optimizer.update(3, [1], first))
          assert.strictEqual(error._tag, "DisposedTensor")
        })
      )
    )

    it.effect("gradients of one loss for one tensor at two leaves are two tensors", () =>
      leavesNothing(
        Effect.gen(function* () {
          const shared = yield* owned(() => vector(1, 2))
          const loss = ([a, b]: readonly [Tensor1D, Tensor1D]) => tf.sum(tf.add(a, tf.mul(b, 3)))
          const [one, other] = yield* scoped(Autodiff.grad(loss)([shared, shared]))
          one.dispose()
          assert.deepStrictEqual(yield* values(other), [[3, 3]])
        })
      )
    )

    it.effect("gradients that a loss made by itself are tensors of their own", () =>
      leavesNothing(
        Effect.gen(function* () {
          // The derivative of a + b is one tensor for both; that of a·b hands out the very arguments.
          const sum = tf.customGrad((a, b) => ({
            value: tf.add(a as Tensor, b as Tensor),
            gradFunc: (dy: Tensor) => [dy, dy]
          }))
          const product = tf.customGrad((a, b) => ({
            value: tf.mul(a as Tensor, b as Tensor),
            gradFunc: () => [b as Tensor, a as Tensor]
          }))
          for (const [loss, expected] of [
            [sum, [[1], [1]]],
            [product, [[5], [2]]]
          ] as const) {
            const given = yield* owned(() => [tf.scalar(2), tf.scalar(5)] as const)
            const grads = yield* scoped(Autodiff.grad(([a, b]: typeof given) => loss(a, b))(given))
            assert.deepStrictEqual(yield* values(grads), expected)
            grads[0].dispose()
            assert.deepStrictEqual(yield* values([grads[1], given]), [expected[1], [2], [5]])
          }
        })
      )
    )

    // A tidy ends before a device has given the number of a loss.
    it.effect.runIf(backend.readsAtOnce)("nothing that belongs to the caller ends with a tidy around it", () =>
      leavesNothing(
        Effect.gen(function* () {
          const context = yield* Effect.context<Tensors.Tensors>()
          const inTidy = <A, E>(effect: Effect.Effect<A, E, Tensors.Tensors>): A => {
            let result: { readonly value: A } | undefined
            tf.tidy(() => {
              result = { value: Effect.runSyncWith(context)(effect) }
            })
            return result?.value ?? assert.fail("tidy calls its function")
          }
          const loss = (x: Tensor1D) => [tf.sum(tf.square(x)), tf.mul(x, 3)] as const
          const service = yield* Tensors.Tensors
          const made = inTidy(service.make({ shape: [2], data: Float32Array.of(1, 2) }))
          const state = inTidy(optimizer.init(made))
          const shared = inTidy(service.share(made))
          const { aux, grads } = inTidy(Autodiff.valueAndGrad(loss, { hasAux: true })(optimizer.params(state)))
          const clipped = inTidy(Optimizer.clipGrads(grads, 1000))
          const next = inTidy(optimizer.update(0, clipped, state, { donate: true }))
          assert.deepStrictEqual(yield* values([made, shared, aux, grads, next]), [
            [1, 2],
            [1, 2],
            [3, 6],
            [2, 4],
            [2, 4],
            [0, 0]
          ])
          assert.isTrue(tensorsOf(clipped).every(({ isDisposed }) => isDisposed))
          assert.throws(() => state.leaves, DonatedStateUsed)
          yield* dispose([made, shared, aux, grads, next])
        })
      )
    )
  })
}
