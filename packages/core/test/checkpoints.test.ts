/** Training that is saved: when, what, and what happens when that fails or the run is interrupted. */
import { assert, layer } from "@effect/vitest"
import { Optimizer, Train } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"

type Saved = readonly [step: number, x: number, loss: number | undefined]

/** A keeper that is due at even steps, remembers what it saved, and fails when it is told to. */
const makeKeeper = (options: { readonly failsAt?: number; readonly onInterrupt?: boolean } = {}) => {
  const saved: Array<Saved | "flush"> = []
  const keeper: Train.Checkpointer<{ readonly x: tf.Scalar }, "full", never> = {
    isDue: (step) => Effect.succeed(step % 2 === 0),
    save: (step, { x }, { metrics }) =>
      Effect.gen(function* () {
        const [[now = NaN] = []] = yield* values(x)
        saved.push([step, now, metrics?.["loss"]])
        if (step === options.failsAt) return yield* Effect.fail("full" as const)
      }),
    flush: Effect.sync(() => void saved.push("flush")),
    policy: { onInterrupt: options.onInterrupt }
  }
  return { keeper, saved }
}

// each step halves the distance to 0
const options = {
  optimizer: Optimizer.sgd({ stepSize: 0.25 }),
  loss: ({ x }: { readonly x: tf.Scalar }, _batch: number): tf.Scalar => tf.square(x),
  params: { x: 16 }
}

const makeTrainer = <E, R>(
  manager: Train.Checkpointer<{ readonly x: tf.Scalar }, "full", never>,
  batches: Stream.Stream<number, E, R>
) =>
  Train.make({
    ...options,
    batches,
    checkpoints: { manager, values: ({ state }) => options.optimizer.params(state) }
  })

for (const backend of backends) {
  layer(backend.layer)(`cases on ${backend.name}`, (it) => {
    it.effect("steps that are due are saved after they were made, with their loss", () =>
      leavesNothing(
        Effect.gen(function* () {
          const { keeper, saved } = makeKeeper()
          const trainer = yield* makeTrainer(keeper, Stream.range(0, 4))
          yield* Stream.runDrain(trainer.steps)
          assert.deepStrictEqual(saved, [
            [2, 4, 64],
            [4, 1, 4]
          ])
        })
      )
    )

    it.effect("a save that fails ends the steps; the trainer holds the state after the step, and can go on", () =>
      leavesNothing(
        Effect.gen(function* () {
          const { keeper, saved } = makeKeeper({ failsAt: 2 })
          const trainer = yield* makeTrainer(keeper, Stream.range(0, 3))
          assert.strictEqual(yield* Effect.flip(Stream.runDrain(trainer.steps)), "full")
          assert.strictEqual(yield* trainer.step, 2)
          yield* Stream.runDrain(trainer.steps)
          assert.deepStrictEqual(saved, [
            [2, 4, 64],
            [4, 1, 4],
            [6, 0.25, 0.25]
          ])
        })
      )
    )

    /** What is saved by a run that is interrupted while it waits for a batch. */
    const interrupted = (keeperOptions: { readonly failsAt?: number; readonly onInterrupt?: boolean }, made = 3) =>
      Effect.gen(function* () {
        const { keeper, saved } = makeKeeper(keeperOptions)
        const waiting = yield* Deferred.make<void>()
        const stuck = Stream.fromEffect(Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never))
        const trainer = yield* makeTrainer(keeper, Stream.concat(Stream.range(1, made), stuck))
        const fiber = yield* Effect.forkChild(Stream.runDrain(trainer.steps))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(fiber)
        return saved
      })

    it.effect("when the steps are interrupted, the run is saved once more, and that is waited for", () =>
      leavesNothing(
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* interrupted({}), [[2, 4, 64], [3, 2, 16], "flush"])
          assert.deepStrictEqual(yield* interrupted({}, 2), [[2, 4, 64], "flush"]) // it was saved just before
          assert.deepStrictEqual(yield* interrupted({ onInterrupt: false }), [[2, 4, 64]])
        })
      )
    )

    it.effect("when the last save fails, that is logged", () => {
      const messages: Array<string> = []
      const logger = Logger.make(({ message }) => void messages.push(String(message)))
      return leavesNothing(interrupted({ failsAt: 3 })).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.tap((saved) => Effect.sync(() => assert.strictEqual(saved.at(-1), "flush"))), // waited for nevertheless
        Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(messages, ["Train: the last save failed\nfull"])))
      )
    })

    it.effect("a consumer that has enough is no interruption", () =>
      leavesNothing(
        Effect.gen(function* () {
          const { keeper, saved } = makeKeeper()
          const trainer = yield* makeTrainer(keeper, Stream.range(0, 9))
          yield* Stream.runDrain(Stream.take(trainer.steps, 3))
          assert.deepStrictEqual(saved, [[2, 4, 64]])
        })
      )
    )
  })
}
