/** The learning rate that `Train` reports: that of the update which was made, or none. */
import { Optimizer, Train, Transform } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import { assert, layer } from "@effect/vitest"
import type * as tf from "@tensorflow/tfjs-core"
import { add } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

interface Params {
  readonly a: tf.Scalar
  readonly b: tf.Scalar
}

/** Gradients of 1. */
const sum = ({ a, b }: Params): tf.Scalar => add(a, b)

const rates = <S>(transform: Transform.Transform<S, "params">, steps = 4) =>
  Effect.gen(function* () {
    const trainer = yield* Train.make({
      optimizer: Optimizer.fromTransform(transform),
      params: { a: 0, b: 0 },
      loss: sum,
      batches: Stream.range(1, steps)
    })
    return yield* Stream.runCollect(trainer.steps).pipe(
      Effect.map((made) => made.map(({ learningRate, loss }) => [learningRate, loss] as const))
    )
  }).pipe(Effect.scoped)

const rising = (count: number): number => count + 1

layer(Wasm.layer)("the learning rate of a step", (it) => {
  it.effect("of a number and of a schedule is what the step moved by", () =>
    Effect.gen(function* () {
      const chain = Transform.chain(Transform.clip({ maxDelta: 5 }), Transform.sgd({ learningRate: rising }))
      // The loss before a step is −2 times the sum of the rates until then.
      assert.deepStrictEqual(yield* rates(chain, 3), [
        [1, 0],
        [2, -2],
        [3, -6]
      ])
      const constant = Transform.sgd({ learningRate: 0.5 })
      assert.deepStrictEqual(yield* rates(constant, 2), [
        [0.5, 0],
        [0.5, -1]
      ])
    })
  )

  it.effect("is that of the count that the schedule was asked for, not of the loop", () =>
    Effect.gen(function* () {
      const sgd = Transform.sgd({
        learningRate: Schedules.exponentialDecay({ stepSize: 1, decaySteps: 1, decayRate: 0.5 })
      })
      const gathered = yield* rates(Transform.multiSteps(sgd, { everyKSchedule: 2 }))
      assert.deepStrictEqual(
        gathered.map(([rate]) => rate),
        [1, 1, 0.5, 0.5]
      )
      const injected = yield* rates(Transform.injectHyperparams(Transform.sgd, { learningRate: rising }), 2)
      assert.deepStrictEqual(
        injected.map(([rate]) => rate),
        [1, 2]
      )
    })
  )

  it.effect("is none where there are several, or factors beside it", () =>
    Effect.gen(function* () {
      const { adam, chain, injectHyperparams, partition, scale, scaleByAdam, scaleBySchedule, sgd } = Transform
      const slow = sgd({ learningRate: 1 })
      const several = [
        chain(scale({ stepSize: 2 }), adam({ learningRate: 0.1 })),
        chain(scaleByAdam(), scaleBySchedule({ stepSizeFn: rising }), scale({ stepSize: -1 })),
        chain(scaleByAdam(), scale({ stepSize: -0.01 })),
        partition({ slow, fast: sgd({ learningRate: 100 }) }, { a: "slow", b: "fast" }),
        partition({ slow, fast: injectHyperparams(sgd, { learningRate: 100 }) }, { a: "slow", b: "fast" })
      ]
      for (const transform of several)
        assert.deepStrictEqual(
          (yield* rates(transform as Transform.Transform<unknown>, 2)).map(([rate]) => rate),
          [undefined, undefined]
        )
    })
  )
})
