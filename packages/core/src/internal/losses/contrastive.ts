/** Losses of embeddings: what belongs together should lie together. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidArgument } from "../../OptimError.ts"
import { nonNegative } from "../optimizer/hyperParameters.ts"
import { check, checkOptions, finite, floats, isAtHand, numbers, positive, shapeOf } from "./arguments.ts"
import { axesOf, checkReducible, rowsAlong } from "./axes.ts"
import { normalized } from "./cosine.ts"
import { logSigmoid, logSumExp, masked, relu, sumOfRows, toFloat } from "./words.ts"

/** How `ntxent` is made. */
export interface NtxentOptions {
  /** T: what similarities are divided by; 0.07 if left out. */
  readonly temperature?: number | undefined
}

/** The distance of 1 from the next float32. */
const roundoff = 2 ** -23

/** Pairs of equal labels, but for each with itself; throws if there is none, where that can be seen. */
const positivePairs = (labels: Tensor) => {
  const own = labels.dtype === "bool" ? tf.cast(labels, "int32") : labels
  const isEqual = tf.equal(tf.sub(tf.expandDims(own, 1), tf.expandDims(own, 0)), 0)
  const isItself = tf.oneHot(tf.range(0, labels.size, 1, "int32"), labels.size)
  const isPositive = tf.logicalAnd(isEqual, tf.equal(isItself, 0))
  const count = tf.sum(toFloat(isPositive))
  if (isAtHand() && count.dataSync()[0] === 0) {
    throw new InvalidArgument({
      operation: "Losses.ntxent",
      argument: "the number of labels that are equal",
      value: "0",
      expected: "at least one pair"
    })
  }
  return { isNegative: tf.logicalNot(isEqual), isPositive, count }
}

/**
 * The normalised, temperature-scaled cross entropy: each embedding has to tell its partners from all others.
 *
 *     mean over pairs i ≠ j of equal label of −log( e^s_ij / (e^s_ij + Σ_k e^s_ik) )        s_ij = cos(i, j) / T
 *
 * with k over the embeddings of other labels. Embeddings [batch, size], labels [batch]; the result is one number. Throws
 * `TensorMismatch`, `InvalidHyperParameter` unless T > 0, or `InvalidArgument` if no two labels are equal. Source: Chen
 * et al. 2020; `optax.ntxent`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const embeddings = tensor2d([[1, 0], [2, 0], [0, 1], [0, 3]])
 * const [together = 1] = Losses.ntxent(embeddings, tensor1d([0, 0, 1, 1])).dataSync()
 * const [apart = 0] = Losses.ntxent(embeddings, tensor1d([0, 1, 0, 1])).dataSync()
 * assert.ok(together < 1e-5 && apart > 10)
 * ```
 */
export const ntxent = (embeddings: Tensor, labels: Tensor, { temperature = 0.07 }: NtxentOptions = {}): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.ntxent"
    const [batch = "batch"] = shapeOf(embeddings)
    check(operation, {
      embeddings: [embeddings, floats(["batch", "size"])],
      labels: [labels, numbers([batch])]
    })
    checkReducible(operation, "embeddings", embeddings, [0, 1])
    checkOptions(operation, { temperature: [temperature, positive] })
    const { count, isNegative, isPositive } = positivePairs(labels)
    const unit = normalized(embeddings, roundoff)
    const similarity = tf.div(tf.matMul(unit, unit, false, true), temperature)
    const others = logSumExp(masked(similarity, isNegative, Number.NEGATIVE_INFINITY))
    const pairs = masked(logSigmoid(tf.sub(similarity, others)), isPositive)
    return tf.neg(tf.div(tf.sum(pairs), count))
  })

/** How `tripletMarginLoss` is made. */
export interface TripletMarginLossOptions {
  /** The axis along which embeddings lie; the last if left out. */
  readonly axis?: number | undefined
  /** q: the degree of the norm; 2 if left out. */
  readonly normDegree?: number | undefined
  /** By how much negatives have to be further away than positives; 1 if left out. */
  readonly margin?: number | undefined
  /** ε: keeps the root from 0; 1e-6 if left out. */
  readonly eps?: number | undefined
}

/**
 * By how much a positive is not nearer to its anchor than a negative, less a margin.
 *
 *     max(d(a, p) − d(a, n) + margin, 0)        d(x, y) = (Σ (x − y)^q + ε)^(1/q)
 *
 * Anchors, positives and negatives of one shape [..., size]; the result lacks the axis. An odd degree takes differences
 * with their sign, as the reference does. Throws `TensorMismatch`, or `InvalidHyperParameter` unless q > 0, ε ≥ 0, the
 * margin is finite and the axis exists. Source: Balntas et al. 2016; `optax.triplet_margin_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [anchor, near, far] = [tensor1d([0, 0]), tensor1d([3, 4]), tensor1d([6, 8])] // 5 and 10 away
 * const loss = (margin: number) => Losses.tripletMarginLoss(anchor, near, far, { margin, eps: 0 }).dataSync()[0]
 * assert.deepStrictEqual([loss(1), loss(5), loss(7)], [0, 0, 2])
 * ```
 */
export const tripletMarginLoss = (
  anchors: Tensor,
  positives: Tensor,
  negatives: Tensor,
  { axis = -1, eps = 1e-6, margin = 1, normDegree = 2 }: TripletMarginLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.tripletMarginLoss"
    const shape = shapeOf(anchors)
    check(operation, {
      anchors: [anchors, floats(["...", "size"])],
      positives: [positives, floats(shape)],
      negatives: [negatives, floats(shape)]
    })
    checkOptions(operation, { normDegree: [normDegree, positive], margin: [margin, finite], eps: [eps, nonNegative] })
    const axes = axesOf(operation, axis, anchors.rank)
    checkReducible(operation, "anchors", anchors, axes)
    const distance = (x: Tensor): Tensor => norm(rowsAlong(x, axes), normDegree, eps)
    return relu(tf.add(tf.sub(distance(tf.sub(anchors, positives)), distance(tf.sub(anchors, negatives))), margin))
  })

const norm = (x: Tensor, degree: number, eps: number): Tensor =>
  degree === 2
    ? tf.sqrt(tf.add(sumOfRows(tf.square(x)), eps))
    : tf.pow(tf.add(sumOfRows(tf.pow(x, degree)), eps), 1 / degree)
