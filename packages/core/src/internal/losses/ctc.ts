/** The loss of sequences whose alignment is not known. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidArgument } from "../../OptimError.ts"
import type { Range } from "../optimizer/hyperParameters.ts"
import { check, checkClasses, checkOptions, finite, floats, integers, isAtHand, numbers, shapeOf } from "./arguments.ts"
import { checkReducible } from "./axes.ts"
import { isSet, type Reading, rowsOf } from "./ctc/batch.ts"
import { onDevice } from "./ctc/onDevice.ts"
import { onHost } from "./ctc/onHost.ts"
import { logSoftmax } from "./words.ts"

/** How `ctcLoss` is made. */
export interface CtcLossOptions {
  /** The class of the blank; 0 if left out. */
  readonly blankId?: number | undefined
  /** What stands for log 0; −1e5 if left out. */
  readonly logEpsilon?: number | undefined
}

const classId = (classes: number): Range => ({
  expected: `a class from 0 to ${classes - 1}`,
  allows: (id) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < classes
})

/** Throws `InvalidArgument` if a label follows one that pads. */
const checkPaddings = (operation: string, labelPaddings: Tensor): void => {
  for (const [index, row] of rowsOf(labelPaddings).entries()) {
    const first = row.findIndex(isSet)
    const label = first < 0 ? -1 : row.findIndex((pad, n) => n > first && !isSet(pad))
    if (label < 0) continue
    const argument = `labelPaddings[${index}, ${label}]`
    throw new InvalidArgument({ operation, argument, value: "0", expected: "1: labels are padded at their end" })
  }
}

type Tensors = readonly [logits: Tensor, logitPaddings: Tensor, labels: Tensor, labelPaddings: Tensor]

const checkShapes = (operation: string, [logits, logitPaddings, labels, labelPaddings]: Tensors): void => {
  const [batch = "batch", frames = "frames"] = shapeOf(logits)
  const [, length = "length"] = shapeOf(labels)
  check(operation, {
    logits: [logits, floats(["batch", "frames", "classes"])],
    logitPaddings: [logitPaddings, numbers([batch, frames])],
    labels: [labels, integers([batch, "length"])],
    labelPaddings: [labelPaddings, numbers([batch, length])]
  })
  checkReducible(operation, "logits", logits, [0, 1, 2])
  checkReducible(operation, "labels", labels, [1])
}

const readingOf = (operation: string, tensors: Tensors, options: CtcLossOptions): Reading => {
  checkShapes(operation, tensors)
  const { blankId = 0, logEpsilon = -1e5 } = options
  const [logits, logitPaddings, labels, labelPaddings] = tensors
  const classes = logits.shape[2] ?? 0
  checkOptions(operation, { blankId: [blankId, classId(classes)], logEpsilon: [logEpsilon, finite] })
  // What pads need not be a class.
  checkClasses(operation, tf.where(tf.notEqual(labelPaddings, 0), tf.zerosLike(labels), labels), classes)
  if (isAtHand()) checkPaddings(operation, labelPaddings)
  const batch = { logP: logSoftmax(logits), logitPaddings, labels, labelPaddings, blankId, logEpsilon }
  return isAtHand() ? onHost(batch) : onDevice(batch)
}

/**
 * Connectionist temporal classification: the cross entropy of a sequence of labels, however it is spread over frames.
 *
 *     −log Σ_π Π_t softmax(x_t)_π(t)        over all π that give the labels when repeats and then blanks are dropped
 *
 * Logits [batch, frames, classes], int32 labels [batch, length]; paddings of their first two axes are 1 where an element
 * only pads, else 0, and labels are padded at their end. The result is [batch]. Labels that do not fit into the frames
 * have a loss of about −logEpsilon. On wasm and cpu it is computed on the host, and its derivative cannot be differentiated
 * in turn. Throws `TensorMismatch`, `InvalidArgument` for a label that is no class or that follows
 * one that pads, or `InvalidHyperParameter` unless the blank is a class. Source: Graves et al. 2006; `optax.ctc_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor2d, zeros } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * // Two even frames of 3 classes: label 1 is read from (1, 1), (1, blank) and (blank, 1), 3 of 9 ways.
 * const labels = tensor2d([[1]], [1, 1], "int32")
 * const [loss = 0] = Losses.ctcLoss(zeros([1, 2, 3]), zeros([1, 2]), labels, zeros([1, 1])).dataSync()
 * assert.ok(Math.abs(loss - Math.log(9 / 3)) < 1e-6)
 * ```
 */
export const ctcLoss = (
  logits: Tensor,
  logitPaddings: Tensor,
  labels: Tensor,
  labelPaddings: Tensor,
  options: CtcLossOptions = {}
): Tensor => tf.tidy(() => readingOf("Losses.ctcLoss", [logits, logitPaddings, labels, labelPaddings], options).loss)

/**
 * `ctcLoss`, with the forward probabilities it is computed from.
 *
 *     [loss, log α of the blank, log α of the labels]
 *
 * Arguments and errors as for `ctcLoss`. The results are [batch], [frames, batch, length + 1] and [frames, batch,
 * length]: the probability to have read n labels with the frame's blank, or with the n-th label itself. In the last frame
 * the blank's has taken in the label's. Source: Graves et al. 2006; `optax.ctc_loss_with_forward_probs`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor2d, zeros } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const labels = tensor2d([[1]], [1, 1], "int32")
 * const [loss, blank] = Losses.ctcLossWithForwardProbs(zeros([1, 2, 3]), zeros([1, 2]), labels, zeros([1, 1]))
 * const [, , , last = 0] = blank.dataSync() // frame 1, one label read
 * assert.deepStrictEqual([blank.shape, loss.dataSync()[0]], [[2, 1, 2], -last])
 * ```
 */
export const ctcLossWithForwardProbs = (
  logits: Tensor,
  logitPaddings: Tensor,
  labels: Tensor,
  labelPaddings: Tensor,
  options: CtcLossOptions = {}
): readonly [loss: Tensor, logAlphaBlank: Tensor, logAlphaNonblank: Tensor] => {
  const operation = "Losses.ctcLossWithForwardProbs"
  const { blank, label, loss } = tf.tidy(() => {
    const { loss, probabilities } = readingOf(operation, [logits, logitPaddings, labels, labelPaddings], options)
    return { loss, ...probabilities() }
  })
  return [loss, blank, label]
}
