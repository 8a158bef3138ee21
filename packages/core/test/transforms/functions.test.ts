/** Functions of trees that Optax has beside its transforms: edges, ownership, and what they refuse. */
import { Tensors, Transform } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { firsts, values } from "../support/numbers.ts"

const infinity = Number.POSITIVE_INFINITY

const examples = (): tf.Tensor =>
  tf.tensor2d([
    [0, 0, 0],
    [0, 3, 4],
    [4, 0, 3],
    [3, 4, 0]
  ])

for (const backend of backends) {
  layer(backend.layer)(`functions of trees on ${backend.name}`, (it) => {
    it.effect("perExample clips nothing without a bound, and everything that is not zero with the bound 0", () =>
      Effect.gen(function* () {
        for (const [l2NormClip, sum, count] of [
          [infinity, [7, 7, 7], 0],
          [0, [0, 0, 0], 3],
          [1.25, [1.75, 1.75, 1.75], 3]
        ] as const) {
          const global = yield* Transform.perExampleGlobalNormClip([examples()], { l2NormClip })
          assert.deepStrictEqual(yield* values(global), [[...sum], [count]])
          const layer = yield* Transform.perExampleLayerNormClip([examples()], { globalL2NormClip: l2NormClip })
          assert.deepStrictEqual(yield* values(layer), [[...sum], [count]])
        }
      })
    )

    it.effect("perExample takes numbers of each example, and trees without leaves", () =>
      Effect.gen(function* () {
        const grads = { a: tf.tensor1d([3, 0]), b: tf.tensor1d([4, 1]) }
        const { clippedSum, numClipped } = yield* Transform.perExampleGlobalNormClip(grads, { l2NormClip: 2.5 })
        assert.deepStrictEqual(yield* values([clippedSum, numClipped]), [[1.5], [3], [1]])
        const none = yield* Transform.perExampleGlobalNormClip({}, { l2NormClip: 1 })
        assert.deepStrictEqual([none.clippedSum, yield* firsts(none.numClipped)], [{}, [0]])
        const layers = yield* Transform.perExampleLayerNormClip({}, { globalL2NormClip: 1 })
        assert.deepStrictEqual(layers, { clippedSum: {}, numClipped: {} })
      })
    )

    it.effect("perExample says which leaf has not one gradient for each example", () =>
      Effect.gen(function* () {
        const grads = { a: examples(), b: 1, c: tf.zeros([3, 2]) }
        const error = yield* Effect.flip(Transform.perExampleGlobalNormClip(grads, { l2NormClip: 1 }))
        assert.strictEqual(error._tag, "TensorMismatch")
        assert.strictEqual(
          error.message,
          [
            "Transform.perExampleGlobalNormClip: shapes or dtypes differ",
            "  ['b']   expected float32 [4, …]   found float32 []",
            "  ['c']   expected float32 [4, …]   found float32 [3, 2]",
            "Pass gradients with a leading axis along which the examples lie, as many for every leaf."
          ].join("\n")
        )
      })
    )

    it.effect("perExample refuses a bound below zero", () =>
      Effect.gen(function* () {
        const global = yield* Effect.flip(Transform.perExampleGlobalNormClip([examples()], { l2NormClip: -1 }))
        assert.strictEqual(
          global.message,
          "Transform.perExampleGlobalNormClip: l2NormClip is -1, expected a number ≥ 0"
        )
      })
    )

    it.effect("incrementalUpdate takes the place of what is given away, and of nothing else", () =>
      Effect.gen(function* () {
        const [fresh, old] = [{ w: tf.tensor1d([8, 0]) }, { w: tf.tensor1d([4, 4]) }]
        const kept = yield* Transform.incrementalUpdate(fresh, old, { stepSize: 0.25 })
        assert.deepStrictEqual(yield* values([kept, old]), [
          [5, 3],
          [4, 4]
        ])
        const before = tf.memory().numTensors
        const taken = yield* Transform.incrementalUpdate(fresh, old, { stepSize: 0.25, donate: true })
        assert.deepStrictEqual(yield* values([taken, fresh]), [
          [5, 3],
          [8, 0]
        ])
        assert.isTrue(old.w.isDisposed)
        assert.strictEqual(tf.memory().numTensors, before)
        yield* Tensors.dispose([kept, taken, fresh])
      })
    )

    it.effect("incrementalUpdate says which tree differs", () =>
      Effect.gen(function* () {
        const old = { w: 1, b: 2 } as unknown as { w: number }
        const error = yield* Effect.flip(Transform.incrementalUpdate({ w: 1 }, old, { stepSize: 0.5 }))
        assert.strictEqual(error._tag, "StructureMismatch")
        assert.strictEqual(
          error.message,
          [
            "Transform.incrementalUpdate: the old tensors and the new tensors differ in structure",
            "  ['b']   expected nothing   found a leaf",
            "Pass trees of one structure, with leaves of the same shapes."
          ].join("\n")
        )
        const step = yield* Effect.flip(Transform.incrementalUpdate({ w: 1 }, { w: 1 }, { stepSize: infinity }))
        assert.strictEqual(step.message, "Transform.incrementalUpdate: stepSize is Infinity, expected a finite number")
      })
    )

    it.effect("periodicUpdate copies nothing, and gives handles of their own", () =>
      Effect.gen(function* () {
        const [fresh, old] = [{ w: tf.tensor1d([8, 0]) }, { w: tf.tensor1d([4, 4]) }]
        const { numDataBuffers } = tf.memory()
        const chosen = yield* Transform.periodicUpdate(fresh, old, { steps: 4, updatePeriod: 2 })
        assert.strictEqual(tf.memory().numDataBuffers, numDataBuffers)
        yield* Tensors.dispose(fresh)
        assert.deepStrictEqual(yield* values(chosen), [[8, 0]])
        yield* Tensors.dispose([chosen, old])
      })
    )

    it.effect("periodicUpdate refuses a period of zero", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Transform.periodicUpdate({ w: 1 }, { w: 2 }, { steps: 1, updatePeriod: 0 }))
        assert.strictEqual(error.message, "Transform.periodicUpdate: updatePeriod is 0, expected an integer ≥ 1")
      })
    )
  })
}
