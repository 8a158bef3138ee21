import { assert, describe, layer } from "@effect/vitest"
import { Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { accuracy } from "../evaluate.ts"
import { type Dense, init, loss, predict } from "../model.ts"
import { data } from "./support.ts"

const made = (seed: number) => Effect.flatMap(data, ({ train }) => Tensors.scoped(init(train, seed)))

const numbers = ({ bias, weights }: Dense) => [Array.from(weights.dataSync()), Array.from(bias.dataSync())]

layer(Cpu.layer)("model", (it) => {
  describe("laws", () => {
    it.effect("one seed gives one start, another gives another", () =>
      Effect.gen(function* () {
        const starts = yield* Effect.forEach([1, 1, 2], made)
        const [a, b, c] = starts.map(({ hidden, output }) => [numbers(hidden), numbers(output)])
        assert.deepStrictEqual(a, b)
        assert.notDeepEqual(a, c)
      })
    )
    it.effect("the variance of weights is 2 / inputs, and biases are 0", () =>
      Effect.gen(function* () {
        const { hidden } = yield* made(3)
        const [weights = [], bias = []] = numbers(hidden)
        const variance = weights.reduce((sum, weight) => sum + weight ** 2, 0) / weights.length
        assert.deepStrictEqual(hidden.weights.shape, [64, 128])
        assert.approximately(variance, 2 / 64, 0.002)
        assert.isTrue(bias.every((value) => value === 0))
      })
    )
    it.effect("a model without an opinion loses log(classes), whatever the labels", () =>
      Effect.gen(function* () {
        const { test } = yield* data
        const { hidden, output } = yield* made(3)
        const undecided = { hidden, output: { ...output, weights: tf.zerosLike(output.weights) } }
        const value = tf.tidy(() => loss(undecided, test).dataSync()[0])
        undecided.output.weights.dispose()
        assert.approximately(value ?? 0, Math.log(10), 1e-6)
      })
    )
  })

  describe("cases", () => {
    it.effect("accuracy is the share of rows whose likeliest class is their label", () =>
      Effect.gen(function* () {
        const { test } = yield* data
        const { hidden, output } = yield* made(3)
        const bias = tf.tensor1d([0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        const always3 = { hidden, output: { weights: tf.zerosLike(output.weights), bias } }
        assert.deepStrictEqual(new Set(predict(always3, test)), new Set([3]))
        assert.strictEqual(yield* accuracy(always3, test), 0.1)
        yield* Tensors.dispose(always3.output)
      })
    )
    it.effect("nothing but the parameters stays in memory", () =>
      Effect.gen(function* () {
        const { test } = yield* data
        const params = yield* made(3)
        const { numTensors } = tf.memory()
        yield* accuracy(params, test)
        assert.strictEqual(tf.memory().numTensors, numTensors)
      })
    )
  })
})
