/** Losses whose predictions are sparse: probabilities that can be exactly 0. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { check, floats, numbers, shapeOf } from "./arguments.ts"
import { scoreOfLabel } from "./margin.ts"
import { constant, masked, simplex, sparsePlus, sumOfRows, toFloat } from "./words.ts"

/**
 * The sparsemax loss of yes-or-no predictions: 0 from a margin of 1 on.
 *
 *     sparsePlus(x) if y = 0, sparsePlus(−x) if y = 1        sparsePlus(x) = 0 | (x + 1)²/4 | x for x ≤ −1 | in between | x ≥ 1
 *
 * Logits of any shape, labels 0 or 1 of the same. Throws `TensorMismatch`. Source: Blondel, Martins & Niculae 2020, 4.4;
 * `optax.sparsemax_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.sparsemaxLoss(tensor1d([1, 0, -3]), tensor1d([1, 1, 1]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 0.25, 3])
 * ```
 */
export const sparsemaxLoss = (logits: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.sparsemaxLoss"
    check(operation, { logits: [logits, floats(["..."])], labels: [labels, numbers(shapeOf(logits))] })
    return sparsePlus(
      tf.mul(
        logits,
        constant(() => tf.sub(1, tf.mul(toFloat(tf.notEqual(labels, 0)), 2)))
      )
    )
  })

/**
 * The sparsemax loss of one class among several: 0 if and only if the label's score leads by 1.
 *
 *     ⟨p, s − s_y⟩ + ½·(1 − ‖p‖²)        p: the nearest point to s in the probability simplex
 *
 * Scores [..., classes], int32 labels [...]; the result has the shape of the labels. Throws `TensorMismatch`, or
 * `InvalidArgument` for a label that is no class. Its derivative is p less the one-hot label. Source: Martins & Astudillo
 * 2016; `optax.multiclass_sparsemax_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.multiclassSparsemaxLoss(tensor2d([[2, 1, -1], [2, 2, 2]]), tensor1d([0, 0], "int32"))
 * const [sure, tied = 0] = loss.dataSync()
 * assert.strictEqual(sure, 0)
 * assert.ok(Math.abs(tied - 1 / 3) < 1e-6)
 * ```
 */
export const multiclassSparsemaxLoss = (scores: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => {
    const score = scoreOfLabel("Losses.multiclassSparsemaxLoss", scores, labels)
    const p = simplex(scores)
    const lead = masked(
      tf.sub(scores, tf.expandDims(score, -1)),
      constant(() => tf.greater(p, 0))
    )
    const gini = tf.sub(1, sumOfRows(tf.square(p)))
    return tf.add(sumOfRows(tf.mul(p, lead)), tf.mul(gini, 0.5))
  })
