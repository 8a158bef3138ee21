/** Losses of scores that have to win by a margin. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { check, checkClasses, floats, integers, numbers, shapeOf } from "./arguments.ts"
import { checkReducible } from "./axes.ts"
import { largest, picked, relu, toFloat } from "./words.ts"

const product = (operation: string, predictorOutputs: Tensor, targets: Tensor): Tensor => {
  check(operation, {
    predictorOutputs: [predictorOutputs, floats(["..."])],
    targets: [targets, numbers(shapeOf(predictorOutputs))]
  })
  return tf.mul(predictorOutputs, toFloat(targets))
}

/**
 * How much each output misses a margin of 1 on the side of its target.
 *
 *     max(0, 1 − p·t)        t = ±1
 *
 * Outputs of any shape, targets of the same. Throws `TensorMismatch`. Source: Cortes & Vapnik 1995; `optax.hinge_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.hingeLoss(tensor1d([3, 0.5, -1]), tensor1d([1, 1, 1]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 0.5, 2])
 * ```
 */
export const hingeLoss = (predictorOutputs: Tensor, targets: Tensor): Tensor =>
  tf.tidy(() => relu(tf.sub(1, product("Losses.hingeLoss", predictorOutputs, targets))))

/**
 * How far each output is on the wrong side.
 *
 *     max(0, −p·t)        t = ±1
 *
 * Shapes and errors as for `hingeLoss`. Its derivative at an output of 0 is −t/2, so that learning can start there.
 * Source: Rosenblatt 1958; `optax.perceptron_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.perceptronLoss(tensor1d([3, 0.5, -1]), tensor1d([1, 1, 1]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 0, 1])
 * ```
 */
export const perceptronLoss = (predictorOutputs: Tensor, targets: Tensor): Tensor =>
  tf.tidy(() => relu(tf.neg(product("Losses.perceptronLoss", predictorOutputs, targets))))

/** The score of each label; throws unless scores are [..., classes] and labels [...] are classes. */
export const scoreOfLabel = (operation: string, scores: Tensor, labels: Tensor): Tensor => {
  const shape = shapeOf(scores)
  check(operation, {
    scores: [scores, floats(["...", "classes"])],
    labels: [labels, integers(shape.slice(0, -1))]
  })
  checkReducible(operation, "scores", scores, [scores.rank - 1])
  checkClasses(operation, labels, shape.at(-1) ?? 0)
  return picked(scores, labels)
}

/**
 * How much the best other class, with a bonus of 1, surpasses the labelled one.
 *
 *     max_k (s_k + [k ≠ y]) − s_y
 *
 * Scores [..., classes], int32 labels [...]; the result has the shape of the labels. Throws `TensorMismatch`, or
 * `InvalidArgument` for a label that is no class. Source: Crammer & Singer 2001; `optax.multiclass_hinge_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const scores = tensor2d([[5, 1, 0], [5, 4.5, 0], [5, 6, 0]])
 * const loss = Losses.multiclassHingeLoss(scores, tensor1d([0, 0, 0], "int32"))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 0.5, 2])
 * ```
 */
export const multiclassHingeLoss = (scores: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => {
    const score = scoreOfLabel("Losses.multiclassHingeLoss", scores, labels)
    const others = tf.sub(1, tf.oneHot(labels, scores.shape.at(-1) ?? 0))
    return tf.sub(largest(tf.add(scores, others)), score)
  })

/**
 * How much the best class surpasses the labelled one.
 *
 *     max_k s_k − s_y
 *
 * Shapes and errors as for `multiclassHingeLoss`. Classes that tie for the best share the derivative. Source: Collins
 * 2002; `optax.multiclass_perceptron_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const scores = tensor2d([[5, 4.5, 0], [5, 6, 0]])
 * const loss = Losses.multiclassPerceptronLoss(scores, tensor1d([0, 0], "int32"))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 1])
 * ```
 */
export const multiclassPerceptronLoss = (scores: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => {
    const score = scoreOfLabel("Losses.multiclassPerceptronLoss", scores, labels)
    return tf.sub(largest(scores), score)
  })
