/** Angles between vectors. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { booleans, check, checkOptions, floats, shapeOf } from "./arguments.ts"
import { type Axes, axesOf, checkReducible, rowsAlong } from "./axes.ts"
import { nonNegative } from "../optimizer/hyperParameters.ts"
import { masked, sumOfRows } from "./words.ts"

/** How vectors are compared. */
export interface CosineOptions {
  /** The least squared norm that a vector is divided by; 0 if left out, and then vectors of zeros give NaN. */
  readonly epsilon?: number | undefined
  /** The axis, or axes, along which the vectors lie; the last if left out, all if null. */
  readonly axis?: Axes | undefined
  /** Which elements count: bool, of the shape of the predictions. */
  readonly where?: Tensor | undefined
}

/** Rows of norm 1, unless their squared norm is less than epsilon. */
export const normalized = (x: Tensor, epsilon: number): Tensor => {
  const square = tf.sum(tf.square(x), x.rank - 1, true)
  return tf.div(x, tf.sqrt(epsilon === 0 ? square : tf.maximum(square, epsilon)))
}

const similarity = (
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  { axis = -1, epsilon = 0, where }: CosineOptions
): Tensor => {
  const shape = shapeOf(predictions)
  check(operation, {
    predictions: [predictions, floats(["...", "size"])],
    targets: [targets, floats(shape)],
    ...(where === undefined ? {} : { where: [where, booleans(shape)] })
  })
  checkOptions(operation, { epsilon: [epsilon, nonNegative] })
  const axes = axesOf(operation, axis, predictions.rank)
  checkReducible(operation, "predictions", predictions, axes)
  const unit = (x: Tensor): Tensor => normalized(rowsAlong(masked(x, where), axes), epsilon)
  return sumOfRows(tf.mul(unit(predictions), unit(targets)))
}

/**
 * The cosine of the angle between predictions and targets.
 *
 *     Σ (p / √max(Σp², ε))·(t / √max(Σt², ε))
 *
 * Predictions and targets [..., size] of one shape; the result lacks the axis. Throws `TensorMismatch`, or
 * `InvalidHyperParameter` unless ε ≥ 0 and the axis exists. Source: `optax.cosine_similarity`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const p = tensor2d([[3, 4], [3, 4], [3, 4]])
 * const t = tensor2d([[30, 40], [-4, 3], [-3, -4]]) // the same direction, a right angle, the opposite
 * const cosines = Array.from(Losses.cosineSimilarity(p, t).dataSync())
 * assert.deepStrictEqual(cosines.map((x) => Math.round(x * 1e6) / 1e6 + 0), [1, 0, -1])
 * ```
 */
export const cosineSimilarity = (predictions: Tensor, targets: Tensor, options: CosineOptions = {}): Tensor =>
  tf.tidy(() => similarity("Losses.cosineSimilarity", predictions, targets, options))

/**
 * One less the cosine of the angle between predictions and targets: 0 for the same direction, 2 for the opposite.
 *
 *     1 − cosineSimilarity(p, t)
 *
 * Shapes, options and errors as for `cosineSimilarity`. Source: `optax.cosine_distance`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [distance] = Losses.cosineDistance(tensor1d([0, 2]), tensor1d([0, -8])).dataSync()
 * assert.strictEqual(distance, 2)
 * ```
 */
export const cosineDistance = (predictions: Tensor, targets: Tensor, options: CosineOptions = {}): Tensor =>
  tf.tidy(() => tf.sub(1, similarity("Losses.cosineDistance", predictions, targets, options)))
