/** Losses of the order of a list. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { booleans, check, checkOptions, floats, numbers, oneOf, shapeOf } from "./arguments.ts"
import { checkReducible } from "./axes.ts"
import { constant, logSoftmax, masked, sumOfRows, toFloat } from "./words.ts"

/** How `rankingSoftmaxLoss` is made. */
export interface RankingSoftmaxLossOptions {
  /** Which items take part: bool, of the shape of the logits. */
  readonly where?: Tensor | undefined
  /** The weight of each item, of the shape of the logits. */
  readonly weights?: Tensor | undefined
  /** What is made of the losses of the lists: their mean if left out, their sum, or with null nothing. */
  readonly reduceFn?: "mean" | "sum" | null | undefined
}

/** Reduces the losses of lists; a mean is of the lists that have items, and 0 if there is none. */
const reduced = (losses: Tensor, where: Tensor | undefined, reduceFn: "mean" | "sum" | null): Tensor => {
  const counted = where === undefined ? undefined : tf.any(where, where.rank - 1)
  const kept = masked(losses, counted)
  if (reduceFn === null) return kept
  const total = tf.sum(kept)
  if (reduceFn === "sum") return total
  if (counted === undefined) return tf.div(total, losses.size)
  return tf.div(
    total,
    constant(() => tf.maximum(tf.sum(toFloat(counted)), 1))
  )
}

/**
 * The softmax cross entropy of a list against the relevance of its items.
 *
 *     −Σ_i w_i·y_i·log( e^s_i / Σ_j e^s_j )
 *
 * Logits, labels, weights and `where` [..., items] of one shape. The result is one number, the mean over all lists with
 * items; unreduced it has the shape [...], with 0 for lists without items. Throws `TensorMismatch`, or
 * `InvalidHyperParameter` for another reduction. Source: Cao et al. 2007; `optax.losses.ranking_softmax_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor, tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const logits = tensor2d([[0, 0, 9], [0, 0, 0]])
 * const labels = tensor2d([[1, 0, 0], [0, 1, 0]])
 * const where = tensor([true, true, false, true, true, true], [2, 3]) // the third item of the first list pads
 * const losses = Losses.rankingSoftmaxLoss(logits, labels, { where, reduceFn: null })
 * assert.deepStrictEqual(Array.from(losses.dataSync()), [Math.log(2), Math.log(3)].map(Math.fround))
 * ```
 */
export const rankingSoftmaxLoss = (
  logits: Tensor,
  labels: Tensor,
  { reduceFn = "mean", weights, where }: RankingSoftmaxLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.rankingSoftmaxLoss"
    const shape = shapeOf(logits)
    check(operation, {
      logits: [logits, floats(["...", "items"])],
      labels: [labels, numbers(shape)],
      ...(where === undefined ? {} : { where: [where, booleans(shape)] }),
      ...(weights === undefined ? {} : { weights: [weights, numbers(shape)] })
    })
    checkOptions(operation, { reduceFn: [reduceFn, oneOf("mean", "sum", null)] })
    checkReducible(
      operation,
      "logits",
      logits,
      shape.map((_, axis) => axis)
    )
    const relevance = weights === undefined ? toFloat(labels) : tf.mul(toFloat(labels), toFloat(weights))
    const logP = masked(logSoftmax(masked(logits, where, Number.NEGATIVE_INFINITY)), where)
    return reduced(tf.neg(sumOfRows(tf.mul(masked(relevance, where), logP))), where, reduceFn)
  })
