/**
 * Interruption: a fiber that is interrupted at any of its operations has released what it made, and what it held is
 * whole.
 */
import { Autodiff, Optimizer, Tensors, Train } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { backends } from "./support/backends.ts"
import { everyInterruption, happeningAt, interruptedAt } from "./support/interruption.ts"
import { memory } from "./support/memory.ts"
import { contents } from "./support/numbers.ts"
import { effort } from "./support/property.ts"

const { dispose, scoped } = Tensors

interface Params {
  readonly a: Scalar
  readonly b: Tensor1D
}

const point = { a: 1, b: Float32Array.of(1, 2, 3) }

const loss = ({ a, b }: Params): Tensor => tf.sum(tf.square(tf.add(b, tf.mul(a, 3))))

const adam = Optimizer.adam({ stepSize: 0.01 })

/** Interrupts an effect at each of its operations; each time memory must be what it was before. */
const alwaysReleases = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>, least: number) {
  yield* Effect.exit(effect)
  const before = yield* memory
  const check = (_: Exit.Exit<A, E>, at: number) =>
    Effect.map(memory, (found) => assert.deepStrictEqual(found, before, `interrupted at operation ${at}`))
  assert.isAtLeast(yield* everyInterruption(effect, check), least)
})

/** Training as one would write it by hand: the state is kept in the breath in which it is made. */
const byHand = Effect.gen(function* () {
  const held = yield* Effect.acquireRelease(
    Effect.map(adam.init(point), (state) => ({ state })),
    ({ state }) => dispose(state)
  )
  for (let step = 0; step < 3; step++) {
    const grads = yield* scoped(Autodiff.grad(loss)(adam.params(held.state)))
    yield* Effect.uninterruptible(
      Effect.map(adam.update(step, grads, held.state, { donate: true }), (state) => {
        held.state = state
      })
    )
  }
})

const options = { optimizer: adam, params: point, loss }

const trained = Effect.gen(function* () {
  const trainer = yield* Train.make({ ...options, batches: Stream.make(1, 2, 3) })
  yield* Stream.runDrain(trainer.steps)
})

const withAux = (params: Params) => [loss(params), [tf.mul(params.a, 2)]] as const

for (const backend of backends) {
  layer(backend.layer)(`interrupted at any operation on ${backend.name}`, (it) => {
    it.effect("init in a scope releases everything", () => alwaysReleases(Effect.scoped(scoped(adam.init(point))), 4))

    it.effect("update in a scope releases everything", () =>
      Effect.gen(function* () {
        const state = yield* scoped(adam.init(point))
        yield* alwaysReleases(Effect.scoped(scoped(adam.update(0, point, state))), 4)
      })
    )

    it.effect("valueAndGrad in a scope releases everything", () =>
      alwaysReleases(Effect.scoped(scoped(Autodiff.valueAndGrad(withAux, { hasAux: true })(point))), 4)
    )

    it.effect("clipGrads in a scope releases everything", () =>
      alwaysReleases(Effect.scoped(scoped(Optimizer.clipGrads(point, 1))), 4)
    )

    it.effect("l2Norm releases everything, also while it waits for its number", () =>
      Effect.gen(function* () {
        yield* alwaysReleases(Optimizer.l2Norm(point), 2)
        const before = yield* memory
        const waiting = yield* Effect.forkChild(Optimizer.l2Norm(point), { startImmediately: true })
        assert.isAbove((yield* memory).numTensors, before.numTensors)
        yield* Fiber.interrupt(waiting)
        // A device that is being read from keeps the data until it has been read.
        if (backend.readsAtOnce) assert.deepStrictEqual(yield* memory, before)
        else assert.strictEqual((yield* memory).numTensors, before.numTensors)
      })
    )

    it.effect("training by hand releases everything", () => alwaysReleases(Effect.scoped(byHand), 30))

    it.effect("training by Train releases everything", () => alwaysReleases(Effect.scoped(trained), 100))

    it.effect("a snapshot in a scope releases everything", () =>
      Effect.gen(function* () {
        const trainer = yield* Train.make({ ...options, batches: Stream.empty })
        yield* alwaysReleases(Effect.scoped(Effect.acquireRelease(trainer.snapshot, ({ state }) => dispose(state))), 4)
      })
    )

    it.effect("a snapshot is whole or was never made", () =>
      Effect.gen(function* () {
        const trainer = yield* Train.make({ ...options, batches: Stream.empty })
        const { state } = yield* trainer.snapshot
        yield* dispose(state)
        let before = tf.memory().numTensors
        const check = Effect.sync(() => {
          const made = tf.memory().numTensors - before
          assert.include([0, state.leaves.length], made)
          before += made
        })
        yield* everyInterruption(trainer.snapshot, () => check)
      })
    )

    it.effect("a trainer whose scope closes in the middle of a step releases everything", () =>
      Effect.gen(function* () {
        yield* Effect.exit(Effect.scoped(trained))
        const before = yield* memory
        const runFork = Effect.runForkWith(yield* Effect.context())
        const stride = Math.round(1 / (yield* effort))
        let at = 1
        for (let reached = true; reached; at += stride) {
          const scope = yield* Scope.make()
          const trainer = yield* Scope.provide(Train.make({ ...options, batches: Stream.make(1, 2) }), scope)
          const close = () => void runFork(Scope.close(scope, Exit.void))
          const run = yield* happeningAt(Stream.runDrain(trainer.steps), at, close)
          if (run.reached && Exit.isFailure(run.exit)) {
            assert.strictEqual(Exit.findErrorOption(run.exit).pipe(Option.getOrUndefined)?._tag, "DisposedTensor")
          }
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual(yield* memory, before, `closed at operation ${at}`)
          reached = run.reached
        }
        assert.isAbove(at, 100)
      })
    )

    it.effect("two runs of a trainer's steps take turns", () =>
      Effect.gen(function* () {
        const runFork = Effect.runForkWith(yield* Effect.context<Tensors.Tensors>())
        const otherRunFrom = (at: number) =>
          Effect.scoped(
            Effect.gen(function* () {
              const trainer = yield* Train.make({ ...options, batches: Stream.make(1, 2) })
              const others: Array<Fiber.Fiber<void, unknown>> = []
              const meanwhile = () => void others.push(runFork(Stream.runDrain(trainer.steps)))
              const run = yield* happeningAt(Stream.runDrain(trainer.steps), at, meanwhile)
              yield* Effect.forEach(others, Fiber.join)
              assert.deepStrictEqual(run.exit, Exit.void, `another run from operation ${at} on`)
              assert.strictEqual(yield* trainer.step, run.reached ? 4 : 2)
              return run.reached
            })
          )
        let at = 1
        const stride = Math.round(5 / (yield* effort))
        while (yield* otherRunFrom(at)) at += stride
        assert.isAbove(at, 50)
      })
    )

    it.effect("a trainer goes on as if nothing had been", () =>
      Effect.gen(function* () {
        const five = Effect.gen(function* () {
          const trainer = yield* Train.make({ ...options, batches: Stream.forever(Stream.make(0)) })
          const rest = Effect.flatMap(trainer.step, (step) => Stream.runDrain(Stream.take(trainer.steps, 5 - step)))
          return { trainer, rest }
        })
        const expected = yield* Effect.scoped(
          Effect.gen(function* () {
            const { rest, trainer } = yield* five
            yield* rest
            return yield* contents(yield* trainer.params)
          })
        )
        let at = 1
        let interrupted = true
        const stride = Math.round(7 / (yield* effort))
        for (; interrupted; at += stride) {
          const scope = yield* Scope.make()
          const { rest, trainer } = yield* Scope.provide(five, scope)
          interrupted = (yield* interruptedAt(rest, at)).reached
          yield* rest
          assert.strictEqual(yield* trainer.step, 5)
          assert.deepStrictEqual(yield* contents(yield* trainer.params), expected)
          yield* Scope.close(scope, Exit.void)
        }
        assert.isAbove(at, 100)
      })
    )
  })
}
