/**
 * Memory: whoever makes a tensor releases it, whatever happens.
 *
 * On wasm the allocator itself is counted, so that nothing on the heap goes unseen; it also refuses, at each allocation
 * in turn, to show that an operation that fails half-way leaves everything as it was.
 */
import { Autodiff, Optimizer, Tensors, Train } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { backends } from "./support/backends.ts"
import * as Allocator from "./support/allocator.ts"
import { leavesNothing, memory } from "./support/memory.ts"
import { contents } from "./support/numbers.ts"

const { dispose, scoped } = Tensors
const { clipGrads, l2Norm } = Optimizer
const { valueAndGrad } = Autodiff

/** Everything that can be counted. */
const counts = Effect.map(memory, (memory) => ({ ...memory, allocations: Allocator.allocations() }))

interface Params {
  readonly a: Scalar
  readonly b: Tensor1D
}

const point = { a: 1, b: Float32Array.of(1, 2, 3) }

const loss = ({ a, b }: Params): Tensor => tf.sum(tf.square(tf.add(b, tf.mul(a, 3))))

const adam = Optimizer.adam({ stepSize: 0.01 })

// This stands first: nothing has been allocated on the heap yet.
layer(Wasm.layer)("the allocator", (it) => {
  it.effect("is watched from its first call on", () =>
    Effect.gen(function* () {
      const huge = (x: Scalar): Tensor => tf.sum(tf.broadcastTo(x, [2 ** 16, 2 ** 15]))
      for (let time = 0; time < 2; time++) {
        const error = yield* leavesNothing(Effect.flip(valueAndGrad(huge)(1)))
        assert.strictEqual(
          error.message,
          [
            "The tfjs backend 'wasm' has no room for 8589934592 bytes (4 in use)",
            "Dispose tensors that are no longer needed, donate the state to its update, or take smaller batches."
          ].join("\n")
        )
      }
    })
  )
})

layer(Allocator.layer)("flat on wasm", (it) => {
  it.effect("10,000 donated steps", () =>
    Effect.gen(function* () {
      let state = yield* adam.init(point)
      const advance = Effect.fnUntraced(function* (step: number) {
        state = yield* adam.update(step, point, state, { donate: true })
      })
      for (let step = 0; step < 10; step++) yield* advance(step)
      const before = yield* counts
      for (let step = 10; step < 10_000; step++) yield* advance(step)
      assert.deepStrictEqual(yield* counts, before)
      yield* dispose(state)
    })
  )

  it.effect("1,000 steps that differentiate, clip, measure and keep nothing", () =>
    Effect.gen(function* () {
      let state = yield* adam.init(point)
      const advance = Effect.fnUntraced(function* (step: number) {
        const { grads } = yield* valueAndGrad(loss)(adam.params(state))
        const clipped = yield* clipGrads(grads, 1)
        yield* l2Norm(clipped)
        const next = yield* adam.update(step, clipped, state)
        yield* dispose([grads, clipped, state])
        state = next
      })
      for (let step = 0; step < 10; step++) yield* advance(step)
      const before = yield* counts
      for (let step = 10; step < 1000; step++) yield* advance(step)
      assert.deepStrictEqual(yield* counts, before)
      yield* dispose(state)
    })
  )
})

/** Fails an operation at its first allocation, at its second, and so on until it succeeds; every failure must be clean. */
const outOfMemory = Effect.fnUntraced(function* <A, E, R>(
  operation: Effect.Effect<A, E, R>,
  intact: Effect.Effect<void> = Effect.void
) {
  for (let n = 0; ; n++) {
    const before = yield* counts
    const exit = yield* Effect.exit(Allocator.refusingAfter(n, operation))
    if (Exit.isSuccess(exit)) {
      yield* dispose(exit.value)
      return n
    }
    assert.strictEqual(
      (exit.cause.reasons[0] as { readonly error?: { readonly _tag: string } }).error?._tag,
      "OutOfMemory"
    )
    assert.deepStrictEqual(yield* counts, before, `refused after ${n} allocations`)
    yield* intact
  }
})

layer(Allocator.layer)("out of memory", (it) => {
  it.effect("at any allocation of init", () =>
    Effect.gen(function* () {
      yield* dispose(yield* adam.init(point))
      assert.isAbove(yield* outOfMemory(adam.init(point)), 3)
    })
  )

  for (const donate of [false, true]) {
    it.effect(`at any allocation of ${donate ? "a donated" : "a pure"} update, and the state is intact`, () =>
      Effect.gen(function* () {
        const state = yield* adam.init(point)
        const before = yield* contents(state)
        const intact = Effect.map(contents(state), (now) => assert.deepStrictEqual(now, before))
        const update = adam.update(0, point, state, { donate })
        // Of what an update is planned to do, a block stays on the heap.
        yield* dispose(yield* adam.update(0, point, yield* adam.init(point), { donate }))
        assert.isAbove(yield* outOfMemory(update, intact), 3)
        yield* dispose(state)
      })
    )
  }

  it.effect("at any allocation of l2Norm and clipGrads", () =>
    Effect.gen(function* () {
      yield* l2Norm(yield* clipGrads(point, 1))
      assert.isAbove(yield* outOfMemory(l2Norm(point)), 2)
      assert.isAbove(yield* outOfMemory(clipGrads(point, 1)), 3)
    })
  )

  it.effect("a snapshot takes no memory", () =>
    Effect.gen(function* () {
      const batches = Stream.empty
      const trainer = yield* Train.make({ optimizer: adam, params: point, loss, batches })
      assert.strictEqual(yield* outOfMemory(Effect.map(trainer.snapshot, ({ state }) => state)), 0)
    })
  )

  it.effect("at any allocation of valueAndGrad", () =>
    Effect.gen(function* () {
      const withAux = (params: Params) => [loss(params), { doubled: tf.mul(params.a, 2) }] as const
      assert.isAbove(yield* outOfMemory(valueAndGrad(loss)(point)), 10)
      assert.isAbove(yield* outOfMemory(valueAndGrad(withAux, { hasAux: true })(point)), 10)
    })
  )
})

const never = (): Tensor => {
  tf.mul(tf.ones([5]), 2)
  throw new Error("no batch")
}

const fresh = adam.init(point)

/** An operation on a state of its own. */
const usingState = <A, E>(use: (state: Effect.Success<typeof fresh>) => Effect.Effect<A, E, Tensors.Tensors>) =>
  Effect.scoped(Effect.flatMap(scoped(fresh), use))

/** Operations that fail after they have made something, and the tag of their failure. */
const failures: { readonly [name: string]: readonly [string, Effect.Effect<unknown, unknown, Tensors.Tensors>] } = {
  "init of leaves that are none": ["InvalidLeaf", adam.init({ a: 1, b: "2" })],
  "init of a disposed tensor": [
    "DisposedTensor",
    Effect.suspend(() => {
      const gone = tf.scalar(1)
      gone.dispose()
      return adam.init({ a: 1, b: gone })
    })
  ],
  "update with a gradient of another shape": [
    "TensorMismatch",
    usingState((state) => adam.update(0, { a: 1, b: Float32Array.of(1) }, state, { donate: true }))
  ],
  "update at step -1": ["InvalidStep", usingState((state) => adam.update(-1, point, state, { donate: true }))],
  "update at step 1.5": ["InvalidStep", usingState((state) => adam.update(1.5, point, state))],
  "update with a step size that is not a number": [
    "NonFinite",
    usingState((state) => Optimizer.adam({ stepSize: () => Number.NaN }).update(0, point, state, { donate: true }))
  ],
  "update with a disposed gradient": [
    "DisposedTensor",
    usingState((state) => {
      const gone = tf.scalar(1)
      gone.dispose()
      return adam.update(0, { a: gone, b: point.b }, state, { donate: true })
    })
  ],
  "update of a disposed state": [
    "DisposedTensor",
    usingState((state) => Effect.andThen(dispose(state), adam.update(0, point, state)))
  ],
  "update of a donated state": [
    "DonatedStateUsed",
    usingState((state) =>
      Effect.andThen(
        Effect.flatMap(adam.update(0, point, state, { donate: true }), dispose),
        adam.update(1, point, state)
      )
    )
  ],
  "a loss that throws": ["LossFailed", valueAndGrad(never)(point)],
  "a loss that throws in a nested gradient": ["LossFailed", valueAndGrad(() => tf.grad(never)(tf.scalar(1)))(point)],
  "a loss that is no scalar": ["LossNotScalar", valueAndGrad(({ b }: Params) => tf.square(b))(point)],
  "a loss that is a number": ["LossNotScalar", valueAndGrad(((): unknown => 3) as () => Tensor)(point)],
  "a loss that is an integer": ["LossNotScalar", valueAndGrad(({ a }: Params) => tf.cast(a, "int32"))(point)],
  "a loss that is independent of a leaf": ["LossIndependent", valueAndGrad(({ a }: Params) => tf.square(a))(point)],
  "a loss with aux that is independent of a leaf": [
    "LossIndependent",
    valueAndGrad(({ a }: Params) => [tf.square(a), [tf.mul(a, 2), tf.ones([3])]] as const, { hasAux: true })(point)
  ],
  "a loss with aux that is no scalar": [
    "LossNotScalar",
    valueAndGrad(({ a, b }: Params) => [tf.square(b), tf.mul(a, 2)] as const, { hasAux: true })(point)
  ],
  "norm of a disposed tensor": [
    "DisposedTensor",
    Effect.suspend(() => {
      const gone = tf.scalar(1)
      gone.dispose()
      return l2Norm([1, gone])
    })
  ]
}

for (const backend of backends) {
  layer(backend.layer)(`failures on ${backend.name}`, (it) => {
    for (const [name, [tag, operation]] of Object.entries(failures)) {
      it.effect(`${name} leaves nothing behind`, () =>
        Effect.gen(function* () {
          assert.deepInclude(yield* leavesNothing(Effect.flip(operation)), { _tag: tag })
        })
      )
    }

    it.effect("a failed update leaves gradients and state to their owner", () =>
      Effect.gen(function* () {
        const before = yield* scoped(fresh)
        const numbers = yield* contents(before)
        const grads = { a: yield* scoped(Effect.sync(() => tf.scalar(1))), b: point.b }
        yield* Effect.flip(adam.update(-1, grads, before, { donate: true }))
        assert.deepStrictEqual(yield* contents(before), numbers)
        assert.isFalse(grads.a.isDisposed)
        yield* scoped(adam.update(0, grads, before))
      })
    )
  })
}
