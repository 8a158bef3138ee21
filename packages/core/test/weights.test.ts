/**
 * Weights that are updated in place.
 *
 * tfjs' wasm backend keeps the weights of matrix products and convolutions in a packed form from the first use on. What
 * is computed with parameters after a donated update must be what fresh tensors of the same numbers give.
 */
import { assert, layer } from "@effect/vitest"
import { Optimizer, Tensors } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { values } from "./support/numbers.ts"

type Params = {
  readonly kernel: tf.Tensor4D
  readonly bias: tf.Tensor1D
  readonly w: tf.Tensor2D
  readonly slope: tf.Tensor
}

const params = (): Params => ({
  kernel: tf.randomNormal([2, 2, 1, 3], 0, 1, "float32", 1),
  bias: tf.randomNormal([3], 0, 1, "float32", 2),
  w: tf.randomNormal([3, 3], 0, 1, "float32", 3),
  slope: tf.randomNormal([3], 0, 1, "float32", 4)
})

const image = () => tf.ones<tf.Rank.R4>([1, 4, 4, 1])

const uses: { readonly [name: string]: (params: Params) => tf.Tensor } = {
  matMul: ({ w }) => tf.matMul(tf.ones([4, 3]), w),
  "fused matMul": ({ bias, w }) => tf.fused.matMul({ a: tf.ones([4, 3]), b: w, bias, activation: "relu" }),
  conv2d: ({ kernel }) => tf.conv2d(image(), kernel, 1, "same"),
  "fused conv2d": ({ bias, kernel }) =>
    tf.fused.conv2d({ x: image(), filter: kernel, strides: 1, pad: "valid", bias, activation: "relu" }),
  depthwiseConv2d: ({ kernel }) => tf.depthwiseConv2d(image(), tf.reshape(kernel, [2, 2, 1, 3]), 1, "same"),
  prelu: ({ slope }) => tf.prelu(tf.fill([2, 3], -1), slope)
}

const fresh = (tree: Params): Params => ({
  kernel: tf.add(tree.kernel, 0),
  bias: tf.add(tree.bias, 0),
  w: tf.add(tree.w, 0),
  slope: tf.add(tree.slope, 0)
})

for (const backend of backends) {
  layer(backend.layer)(`on ${backend.name}`, (it) => {
    for (const [name, use] of Object.entries(uses)) {
      it.effect(`${name} uses the numbers of the latest donated update`, () =>
        Effect.gen(function* () {
          const { run } = yield* Tensors.Tensors
          const optimizer = Optimizer.momentum({ stepSize: 0.5, mass: 0.5 })
          let state = yield* optimizer.init(yield* run(params))
          for (let step = 0; step < 4; step++) {
            const now = optimizer.params(state)
            const results = yield* run(() => [use(now), use(fresh(now))])
            const [found, expected] = yield* values(results)
            yield* Tensors.dispose(results)
            assert.deepStrictEqual(found, expected, `step ${step}`)
            const grads = yield* run(() => fresh(now))
            state = yield* optimizer.update(step, grads, state, { donate: true })
          }
          yield* Tensors.dispose(state)
        })
      )
    }
  })
}
