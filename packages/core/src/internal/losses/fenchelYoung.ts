/** Losses made from a maximum. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { check, floats, shapeOf } from "./arguments.ts"
import { sumOfRows } from "./words.ts"

/**
 * The Fenchel–Young loss of a maximum of scores: 0 exactly if the targets are where the maximum is attained.
 *
 *     Ω*(s) − ⟨t, s⟩
 *
 * `maxFun` is Ω*: it takes scores [..., size] to [...], row by row along the last axis, and has to be convex (a sum of
 * exponentials, a largest element). Scores and targets of one shape [..., size]; the result is [...]. The loss throws
 * `TensorMismatch`, also if `maxFun` returns another shape. Source: Blondel, Martins & Niculae 2020;
 * `optax.losses.make_fenchel_young_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { logSumExp, tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * // With the logarithm of a sum of exponentials it is the softmax cross entropy.
 * const loss = Losses.makeFenchelYoungLoss((scores) => logSumExp(scores, -1))
 * const [scores, targets] = [tensor1d([2, 1, -1]), tensor1d([1, 0, 0])]
 * const [a = 0] = loss(scores, targets).dataSync()
 * const [b = 1] = Losses.softmaxCrossEntropy(scores, targets).dataSync()
 * assert.ok(Math.abs(a - b) < 1e-6)
 * ```
 */
export const makeFenchelYoungLoss =
  (maxFun: (scores: Tensor) => Tensor): ((scores: Tensor, targets: Tensor) => Tensor) =>
  (scores, targets) =>
    tf.tidy(() => {
      const operation = "Losses.makeFenchelYoungLoss"
      const shape = shapeOf(scores)
      check(operation, { scores: [scores, floats(["...", "size"])], targets: [targets, floats(shape)] })
      const maximum = maxFun(scores)
      check(operation, { "maxFun(scores)": [maximum, floats(shape.slice(0, -1))] })
      return tf.sub(maximum, sumOfRows(tf.mul(targets, scores)))
    })
