/** Losses of independent yes-or-no predictions. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { check, checkOptions, finite, finiteOrNull, floats, numbers, shapeOf } from "./arguments.ts"
import { logAddExp, logSigmoid, relu, softplusOfMinusAbs, toFloat } from "./words.ts"

const labelled = (operation: string, logits: Tensor, labels: Tensor): Tensor => {
  check(operation, { logits: [logits, floats(["..."])], labels: [labels, numbers(shapeOf(logits))] })
  return toFloat(labels)
}

// −y·log σ(x) − (1 − y)·log σ(−x), where log σ(±x) = −max(∓x, 0) − log(1 + e^−|x|)
const crossEntropy = (logits: Tensor, y: Tensor): Tensor => {
  const yes = tf.mul(y, relu(tf.neg(logits)))
  const no = tf.mul(tf.sub(1, y), relu(logits))
  return tf.add(tf.add(yes, no), softplusOfMinusAbs(logits))
}

/**
 * The cross entropy of each logit against its own label: for classes that do not exclude each other.
 *
 *     −y·log σ(x) − (1 − y)·log(1 − σ(x))
 *
 * Logits of any shape, labels of the same shape: 0, 1, or probabilities in between. Computed from log σ(±x), so that no
 * logit is too large. Throws `TensorMismatch`. Source: Goodfellow, Bengio & Courville 2016, 6.2.2;
 * `optax.sigmoid_binary_cross_entropy`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.sigmoidBinaryCrossEntropy(tensor1d([0, -1000, 1000]), tensor1d([1, 1, 1]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [Math.fround(Math.LN2), 1000, 0])
 * ```
 */
export const sigmoidBinaryCrossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => crossEntropy(logits, labelled("Losses.sigmoidBinaryCrossEntropy", logits, labels)))

/** How `sigmoidFocalLoss` is made. */
export interface SigmoidFocalLossOptions {
  /** The weight of the label 1, where 0 has 1 − α; no weights if left out or null. */
  readonly alpha?: number | null | undefined
  /** γ: how much easy examples are played down; 2 if left out. */
  readonly gamma?: number | undefined
}

/**
 * Cross entropy in which what is already well predicted counts less.
 *
 *     −α_y·(1 − p_y)^γ·log p_y        p_1 = σ(x), p_0 = 1 − σ(x); α_1 = α, α_0 = 1 − α
 *
 * Shapes and labels as for `sigmoidBinaryCrossEntropy`, which this is with γ = 0. The power is computed from logarithms.
 * Throws `TensorMismatch`, or `InvalidHyperParameter` unless α and γ are finite. Source: Lin et al. 2017;
 * `optax.sigmoid_focal_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [logit, label] = [tensor1d([0]), tensor1d([1])]
 * const [entropy = 0] = Losses.sigmoidBinaryCrossEntropy(logit, label).dataSync()
 * const [focal] = Losses.sigmoidFocalLoss(logit, label, { gamma: 3 }).dataSync()
 * assert.ok(Math.abs((focal ?? 0) - entropy / 2 ** 3) < 1e-7) // p = ½
 * ```
 */
export const sigmoidFocalLoss = (
  logits: Tensor,
  labels: Tensor,
  { alpha = null, gamma = 2 }: SigmoidFocalLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.sigmoidFocalLoss"
    checkOptions(operation, { gamma: [gamma, finite], alpha: [alpha, finiteOrNull] })
    const y = labelled(operation, logits, labels)
    const no = tf.sub(1, y)
    // log(1 − p_y), where a label of 0 or 1 leaves one of both
    const logMiss = logAddExp(tf.add(tf.log(no), logSigmoid(logits)), tf.add(tf.log(y), logSigmoid(tf.neg(logits))))
    const loss = tf.mul(crossEntropy(logits, y), tf.exp(tf.mul(logMiss, gamma)))
    return alpha === null ? loss : tf.mul(loss, tf.add(tf.mul(y, alpha), tf.mul(no, 1 - alpha)))
  })
