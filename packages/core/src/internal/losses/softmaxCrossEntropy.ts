/** Cross entropies of one class among several. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import {
  booleans,
  check,
  checkClasses,
  checkOptions,
  finite,
  type Form,
  floats,
  integers,
  numbers
} from "./arguments.ts"
import { type Axes, axesOf, checkReducible, rowsAlong, without } from "./axes.ts"
import { constant, logSoftmax, masked, picked, sumOfRows, toFloat } from "./words.ts"

/** Along what a cross entropy is computed. */
export interface CrossEntropyOptions {
  /** The axis of the classes, or axes; the last if left out, all if null. */
  readonly axis?: Axes | undefined
  /** Which classes take part: bool, of the shape of the logits; or which examples: of the shape of the result. */
  readonly where?: Tensor | undefined
}

/** What a cross entropy is computed from, one row for each example. */
interface Examples {
  /** [..., classes] */
  readonly logits: Tensor
  readonly axes: ReadonlyArray<number>
  /** Which classes take part: [..., classes]. */
  readonly mask: Tensor | undefined
}

type LabelForm = (shape: ReadonlyArray<number>, axes: ReadonlyArray<number>) => Form

const ofDistributions: LabelForm = (shape) => numbers(shape)

const ofClasses: LabelForm = (shape, axes) => integers(without(shape, axes))

/** A mask of examples, for each of their classes. By a product: tfjs takes a hundred times as long to repeat a mask. */
const repeated = (where: Tensor, classes: number): Tensor =>
  constant(() => tf.greater(tf.mul(tf.expandDims(toFloat(where), -1), tf.ones([classes])), 0))

const examplesOf = (
  operation: string,
  logits: Tensor,
  labels: Tensor,
  labelForm: LabelForm,
  { axis = -1, where }: CrossEntropyOptions
): Examples => {
  check(operation, { logits: [logits, floats(["...", "classes"])] })
  const { rank, shape } = logits
  const axes = axesOf(operation, axis, rank)
  check(operation, {
    labels: [labels, labelForm(shape, axes)],
    ...(where === undefined ? {} : { where: [where, booleans(shape, without(shape, axes))] })
  })
  checkReducible(operation, "logits", logits, axes)
  const rows = rowsAlong(logits, axes)
  const isOfClasses = where !== undefined && where.rank === rank
  const mask = isOfClasses ? rowsAlong(where, axes) : where && repeated(where, rows.shape.at(-1) ?? 1)
  return { logits: rows, axes, mask }
}

/** Logits that do not take part are e^−∞; what the logarithm is of them is not looked at. */
const logProbabilities = ({ logits, mask }: Examples): Tensor =>
  masked(logSoftmax(masked(logits, mask, Number.NEGATIVE_INFINITY)), mask)

/** Σ y·x of the classes that take part. */
const expectation = (labels: Tensor, x: Tensor, { axes, mask }: Examples): Tensor =>
  sumOfRows(tf.mul(masked(rowsAlong(toFloat(labels), axes), mask), x))

/**
 * The cross entropy of the softmax of the logits against a distribution, a one-hot label for example.
 *
 *     −Σ_k y_k·log softmax(x)_k
 *
 * Logits and labels [..., classes] of one shape; the result lacks the axis of the classes. A logit of −∞ whose label is
 * 0 gives NaN, unless `where` leaves it out: see `safeSoftmaxCrossEntropy`. Throws `TensorMismatch`, or
 * `InvalidHyperParameter` for an axis that is not there. Source: Bridle 1990; `optax.softmax_cross_entropy`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const logits = tensor2d([[7, 7, 7, 7], [-1000, 0, 0, -1000]]) // no idea; one of two
 * const loss = Losses.softmaxCrossEntropy(logits, tensor2d([[1, 0, 0, 0], [0, 0.5, 0.5, 0]]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [Math.log(4), Math.log(2)].map(Math.fround))
 * ```
 */
export const softmaxCrossEntropy = (logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor =>
  tf.tidy(() => {
    const examples = examplesOf("Losses.softmaxCrossEntropy", logits, labels, ofDistributions, options)
    return tf.neg(expectation(labels, logProbabilities(examples), examples))
  })

/**
 * `softmaxCrossEntropy` along the last axis, in which a class of probability 0 counts nothing even if its logit is −∞.
 *
 *     −Σ_k y_k·log softmax(x)_k        0·log 0 = 0
 *
 * Logits and labels [..., classes] of one shape; the result lacks the last axis. Throws `TensorMismatch`. Source:
 * `optax.safe_softmax_cross_entropy`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [logits, labels] = [tensor1d([3, 3, -Infinity]), tensor1d([1, 0, 0])]
 * const safe = Losses.safeSoftmaxCrossEntropy(logits, labels).dataSync()[0]
 * const plain = Losses.softmaxCrossEntropy(logits, labels).dataSync()[0]
 * assert.deepStrictEqual([safe, plain], [Math.fround(Math.LN2), NaN])
 * ```
 */
export const safeSoftmaxCrossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  tf.tidy(() => {
    const examples = examplesOf("Losses.safeSoftmaxCrossEntropy", logits, labels, ofDistributions, {})
    const logP = logProbabilities(examples)
    const isHarmless = constant(() => tf.logicalOr(tf.notEqual(labels, 0), tf.isFinite(logP)))
    return tf.neg(expectation(labels, masked(logP, isHarmless), examples))
  })

/**
 * `softmaxCrossEntropy` against class ids instead of distributions.
 *
 *     log Σ_k e^x_k − x_y
 *
 * Logits [..., classes], int32 labels [...]; the result has the shape of the labels. With several axes of classes a label
 * is an index into them, laid out flat in the order given. An example without any class in `where` has loss 0. Throws
 * `TensorMismatch`, `InvalidArgument` for a label that is no class, or `InvalidHyperParameter` for an axis that is not
 * there. Source: `optax.softmax_cross_entropy_with_integer_labels`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { oneHot, tensor1d, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [logits, labels] = [tensor2d([[1, 2, -1], [0, 3, 3]]), tensor1d([0, 2], "int32")]
 * const loss = Losses.softmaxCrossEntropyWithIntegerLabels(logits, labels)
 * assert.deepStrictEqual(loss.dataSync(), Losses.softmaxCrossEntropy(logits, oneHot(labels, 3)).dataSync())
 * ```
 */
export const softmaxCrossEntropyWithIntegerLabels = (
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.softmaxCrossEntropyWithIntegerLabels"
    const examples = examplesOf(operation, logits, labels, ofClasses, options)
    const { mask } = examples
    checkClasses(operation, labels, examples.logits.shape.at(-1) ?? 0)
    const logP = logSoftmax(masked(examples.logits, mask, Number.NEGATIVE_INFINITY))
    const loss = tf.neg(picked(logP, labels))
    return masked(loss, mask === undefined ? undefined : tf.any(mask, mask.rank - 1))
  })

/** How `polyLossCrossEntropy` is made. */
export interface PolyLossOptions extends CrossEntropyOptions {
  /** ε: the weight of the first power; 2 if left out. */
  readonly epsilon?: number | undefined
}

/**
 * Cross entropy with another weight for the first term of its series in powers of 1 − p.
 *
 *     −Σ_k y_k·log p_k + ε·Σ_k y_k·(1 − p_k)        p = softmax(x)
 *
 * Shapes, options and errors as for `softmaxCrossEntropy`, and `InvalidHyperParameter` unless ε is finite. Source: Leng
 * et al. 2022; `optax.poly_loss_cross_entropy`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.polyLossCrossEntropy(tensor1d([0, 0]), tensor1d([1, 0]), { epsilon: 3 })
 * assert.strictEqual(loss.dataSync()[0], Math.fround(Math.log(2) + 3 * 0.5))
 * ```
 */
export const polyLossCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  { epsilon = 2, ...options }: PolyLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.polyLossCrossEntropy"
    checkOptions(operation, { epsilon: [epsilon, finite] })
    const examples = examplesOf(operation, logits, labels, ofDistributions, options)
    const logP = logProbabilities(examples)
    const missed = expectation(labels, tf.sub(1, tf.exp(logP)), examples)
    return tf.sub(tf.mul(missed, epsilon), expectation(labels, logP, examples))
  })
