/** Transforms that clip: edges, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

const nan = Number.NaN
const infinity = Number.POSITIVE_INFINITY

/** The updates of one step. */
const updatesOf = (transform: Transform.Any, grads: unknown, params: unknown = grads) =>
  Effect.map(ran(transform, params, [grads]), ({ updates }) => updates[0])

for (const backend of backends) {
  layer(backend.layer)(`clipping on ${backend.name}`, (it) => {
    it.effect("clip keeps NaN, and brings infinities to the bound", () =>
      Effect.gen(function* () {
        const grads = Float32Array.of(nan, infinity, -infinity, -0)
        assert.deepStrictEqual(yield* updatesOf(Transform.clip({ maxDelta: 2 }), grads), [nan, 2, -2, -0])
      })
    )

    it.effect("clip without a bound changes nothing", () =>
      Effect.gen(function* () {
        const grads = Float32Array.of(-3e38, 3e38)
        const updates = yield* updatesOf(Transform.clip({ maxDelta: infinity }), grads)
        assert.deepStrictEqual(updates, [...grads])
      })
    )

    it.effect("clipByBlockRms leaves a leaf of zeros, and one without elements, as they are", () =>
      Effect.gen(function* () {
        const clip = Transform.clipByBlockRms({ threshold: 1 })
        const grads = { empty: Float32Array.of(), number: 4, zeros: Float32Array.of(0, 0) }
        assert.deepStrictEqual(yield* updatesOf(clip, grads), { empty: [], number: 1, zeros: [0, 0] })
      })
    )

    it.effect("adaptiveGradClip takes the columns of a matrix one by one", () =>
      Effect.gen(function* () {
        const clip = Transform.adaptiveGradClip({ clipping: 1 })
        const [params, grads] = [tf.tensor2d([3, 30, 4, 40], [2, 2]), tf.tensor2d([6, 6, 8, 8], [2, 2])]
        // The columns of the parameters have norms 5 and 50, those of the gradient 10 and 10.
        assert.deepStrictEqual(yield* updatesOf(clip, grads, params), [3, 6, 4, 8])
      })
    )

    it.effect("adaptiveGradClip takes the axes that it is given", () =>
      Effect.gen(function* () {
        const [params, grads] = [tf.tensor2d([3, 4, 30, 40], [2, 2]), tf.tensor2d([6, 8, 6, 8], [2, 2])]
        const rows = Transform.adaptiveGradClip({ clipping: 1, axis: 1 })
        assert.deepStrictEqual(yield* updatesOf(rows, grads, params), [3, 4, 6, 8])
        const all = Transform.adaptiveGradClip({ clipping: 1, axis: [0, -1] })
        assert.deepStrictEqual(yield* updatesOf(all, grads, params), [6, 8, 6, 8])
      })
    )

    it.effect("adaptiveGradClip lets a parameter grow that starts at zero", () =>
      Effect.gen(function* () {
        const clip = Transform.adaptiveGradClip({ clipping: 1, eps: 0.25 })
        assert.deepStrictEqual(yield* updatesOf(clip, { w: 8 }, { w: 0 }), { w: 0.25 })
      })
    )

    it.effect("adaptiveGradClip clips a vector as a whole, whatever axes of size 1 it has", () =>
      Effect.gen(function* () {
        const clip = Transform.adaptiveGradClip({ clipping: 1 })
        const [params, grads] = [tf.tensor2d([3, 4], [1, 2]), tf.tensor2d([6, 8], [1, 2])]
        assert.deepStrictEqual(yield* updatesOf(clip, grads, params), [3, 4])
      })
    )

    it.effect("adaptiveGradClip says which leaf has no units by convention", () =>
      Effect.gen(function* () {
        const params = { deep: tf.ones([2, 2, 2, 2, 2, 2]) }
        const error = yield* Effect.flip(updatesOf(Transform.adaptiveGradClip({ clipping: 1 }), params))
        assert.strictEqual(error._tag, "InvalidExpression")
        assert.strictEqual(
          error.message,
          "unitwiseNorm at leaf ['deep']: no convention says what the units of rank 6 are, found [2, 2, 2, 2, 2, 2]; pass the option axis"
        )
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  for (const [make, expected] of [
    [() => Transform.clip({ maxDelta: -1 }), "clip: maxDelta is -1, expected a number ≥ 0"],
    [() => Transform.clipByBlockRms({ threshold: 0 }), "clipByBlockRms: threshold is 0, expected a number > 0"],
    [() => Transform.adaptiveGradClip({ clipping: nan }), "adaptiveGradClip: clipping is NaN, expected a number ≥ 0"],
    [
      () => Transform.adaptiveGradClip({ clipping: 1, eps: -1 }),
      "adaptiveGradClip: eps is -1, expected a finite number ≥ 0"
    ]
  ] as const)
    it(`says: ${expected}`, () => assert.strictEqual(message(make), expected))
})
