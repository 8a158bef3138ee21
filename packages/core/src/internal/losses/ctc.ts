/** The loss of sequences whose alignment is not known. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidArgument } from "../../OptimError.ts"
import type { Range } from "../optimizer/hyperParameters.ts"
import { check, checkClasses, checkOptions, finite, floats, integers, numbers, shapeOf } from "./arguments.ts"
import { checkReducible } from "./axes.ts"
import { backward, ended, forward, type Sequence, type States } from "./ctcRecursion.ts"
import { logSoftmax } from "./words.ts"

/** How `ctcLoss` is made. */
export interface CtcLossOptions {
  /** The class of the blank; 0 if left out. */
  readonly blankId?: number | undefined
  /** What stands for log 0; −1e5 if left out. */
  readonly logEpsilon?: number | undefined
}

interface Sequences {
  readonly logits: Tensor
  readonly logitPaddings: Tensor
  readonly labels: Tensor
  readonly labelPaddings: Tensor
  readonly blankId: number
  readonly logEpsilon: number
}

const classId = (classes: number): Range => ({
  expected: `a class from 0 to ${classes - 1}`,
  allows: (id) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < classes
})

type Numbers = Float32Array | Int32Array | Uint8Array

/** The rows of a matrix. */
const rowsOf = (x: Tensor): ReadonlyArray<Numbers> => {
  const size = x.size / (x.shape[0] ?? 1)
  const data: Numbers = x.dataSync()
  return Array.from({ length: x.shape[0] ?? 0 }, (_, row) => data.subarray(row * size, (row + 1) * size))
}

const isSet = (x: number): boolean => x !== 0

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

const checkSequences = (operation: string, sequences: Sequences): void => {
  const { blankId, labelPaddings, labels, logEpsilon, logitPaddings, logits } = sequences
  const [batch = "batch", frames = "frames", classes = 0] = shapeOf(logits)
  const [, length = "length"] = shapeOf(labels)
  check(operation, {
    logits: [logits, floats(["batch", "frames", "classes"])],
    logitPaddings: [logitPaddings, numbers([batch, frames])],
    labels: [labels, integers([batch, "length"])],
    labelPaddings: [labelPaddings, numbers([batch, length])]
  })
  checkReducible(operation, "logits", logits, [0, 1, 2])
  checkReducible(operation, "labels", labels, [1])
  checkOptions(operation, { blankId: [blankId, classId(classes)], logEpsilon: [logEpsilon, finite] })
  // What pads need not be a class.
  checkClasses(operation, tf.where(tf.notEqual(labelPaddings, 0), tf.zerosLike(labels), labels), classes)
  checkPaddings(operation, labelPaddings)
}

/** The sequences of a batch, on the host. */
const split = (logP: Tensor, sequences: Sequences): ReadonlyArray<Sequence> => {
  const { blankId, labelPaddings, labels, logEpsilon, logitPaddings } = sequences
  const pads = rowsOf(logitPaddings)
  const ids = rowsOf(labels)
  const idPads = rowsOf(labelPaddings)
  return rowsOf(logP).map((own, index) => ({
    // The backend's memory may move while the sequence is in use.
    logP: Float32Array.from(own),
    classes: logP.shape[2] ?? 0,
    blankId,
    logEpsilon,
    isPadding: Array.from(pads[index] ?? [], isSet),
    labels: Array.from(ids[index] ?? []),
    length: Array.from(idPads[index] ?? []).filter((pad) => !isSet(pad)).length
  }))
}

const joined = (size: number, parts: ReadonlyArray<ArrayLike<number>>): Float32Array => {
  const all = new Float32Array(size)
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

interface Read {
  readonly sequences: ReadonlyArray<Sequence>
  /** Of each sequence the states before the first frame and after each. */
  readonly alphas: ReadonlyArray<ReadonlyArray<States>>
  readonly ends: ReadonlyArray<Float64Array>
}

const read = (sequences: ReadonlyArray<Sequence>): Read => {
  const alphas = sequences.map(forward)
  const nothing: States = { blank: new Float64Array(0), label: new Float64Array(0) }
  return { sequences, alphas, ends: alphas.map((steps) => ended(steps.at(-1) ?? nothing)) }
}

const lossOf = ({ ends, sequences }: Read): Tensor =>
  tf.tensor1d(sequences.map(({ length }, index) => -(ends[index]?.[length] ?? Number.NaN)))

const gradientOf = ({ alphas, sequences }: Read, { shape, size }: Tensor): Tensor =>
  tf.tensor(
    joined(
      size,
      sequences.map((sequence, index) => backward(sequence, alphas[index] ?? []))
    ),
    shape
  )

/** The losses as a function of log probabilities; the derivative is computed when it is asked for. */
const losses = (logP: Tensor, value: Read): Tensor =>
  tf.customGrad(() => ({
    value: lossOf(value),
    gradFunc: (dy: Tensor) => tf.tidy(() => tf.mul(gradientOf(value, logP), tf.reshape(dy, [-1, 1, 1])))
  }))(logP)

/** log α after each frame: [frames, batch, labels + 1] and [frames, batch, labels]. */
const probabilities = ({ alphas, ends, sequences }: Read) => {
  const [frames, batch] = [sequences[0]?.isPadding.length ?? 0, sequences.length]
  const stacked = (size: number, pick: (sequence: number, frame: number) => Float64Array | undefined): Tensor => {
    const parts = Array.from({ length: frames * batch }, (_, at) => pick(at % batch, Math.floor(at / batch)) ?? [])
    return tf.tensor(joined(frames * batch * size, parts), [frames, batch, size])
  }
  const length = sequences[0]?.labels.length ?? 0
  const blank = (sequence: number, frame: number): Float64Array | undefined =>
    frame === frames - 1 ? ends[sequence] : alphas[sequence]?.[frame + 1]?.blank
  return {
    blanks: stacked(length + 1, blank),
    labelled: stacked(length, (sequence, frame) => alphas[sequence]?.[frame + 1]?.label)
  }
}

const sequencesOf = (
  operation: string,
  [logits, logitPaddings, labels, labelPaddings]: readonly [Tensor, Tensor, Tensor, Tensor],
  { blankId = 0, logEpsilon = -1e5 }: CtcLossOptions
): Sequences => {
  const sequences = { logits, logitPaddings, labels, labelPaddings, blankId, logEpsilon }
  checkSequences(operation, sequences)
  return sequences
}

/**
 * Connectionist temporal classification: the cross entropy of a sequence of labels, however it is spread over frames.
 *
 *     −log Σ_π Π_t softmax(x_t)_π(t)        over all π that give the labels when repeats and then blanks are dropped
 *
 * Logits [batch, frames, classes], int32 labels [batch, length]; paddings of their first two axes are 1 where an element
 * only pads, else 0, and labels are padded at their end. The result is [batch]. Labels that do not fit into the frames
 * have a loss of about −logEpsilon. Throws `TensorMismatch`, `InvalidArgument` for a label that is no class or that follows
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
): Tensor =>
  tf.tidy(() => {
    const sequences = sequencesOf("Losses.ctcLoss", [logits, logitPaddings, labels, labelPaddings], options)
    const logP = logSoftmax(logits)
    return losses(logP, read(split(logP, sequences)))
  })

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
  const { blanks, labelled, loss } = tf.tidy(() => {
    const sequences = sequencesOf(operation, [logits, logitPaddings, labels, labelPaddings], options)
    const logP = logSoftmax(logits)
    const value = read(split(logP, sequences))
    return { loss: losses(logP, value), ...probabilities(value) }
  })
  return [loss, blanks, labelled]
}
