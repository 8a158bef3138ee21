/** Labels that are not quite sure. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { booleans, check, checkOptions, finite, floats, shapeOf } from "./arguments.ts"
import { axesOf, rowsAlong } from "./axes.ts"
import { constant, sumOfRows, toFloat } from "./words.ts"

/** Along what labels are smoothed. */
export interface SmoothLabelsOptions {
  /** The axis of the classes; the last if left out. */
  readonly axis?: number | undefined
  /** Which classes there are: bool, of the shape of the labels. */
  readonly where?: Tensor | undefined
}

/**
 * One-hot labels with a part α of the certainty spread over all K classes.
 *
 *     (1 − α)·y + α/K
 *
 * Labels [..., classes] as float32; the result has their shape. With `where`, K counts the classes there are. Throws
 * `TensorMismatch`, or `InvalidHyperParameter` unless α is finite and the axis exists. Source: Szegedy et al. 2016;
 * `optax.smooth_labels`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const smooth = Losses.smoothLabels(tensor1d([1, 0, 0, 0]), 0.5)
 * assert.deepStrictEqual(Array.from(smooth.dataSync()), [0.625, 0.125, 0.125, 0.125])
 * ```
 */
export const smoothLabels = (labels: Tensor, alpha: number, { axis = -1, where }: SmoothLabelsOptions = {}): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.smoothLabels"
    check(operation, {
      labels: [labels, floats(["...", "classes"])],
      ...(where === undefined ? {} : { where: [where, booleans(shapeOf(labels))] })
    })
    checkOptions(operation, { alpha: [alpha, finite] })
    const axes = axesOf(operation, axis, labels.rank)
    const certain = tf.mul(labels, 1 - alpha)
    const count = constant(() => sumOfRows(rowsAlong(where === undefined ? tf.onesLike(labels) : toFloat(where), axes)))
    return tf.add(certain, tf.div(alpha, tf.expandDims(count, axes[0])))
  })
