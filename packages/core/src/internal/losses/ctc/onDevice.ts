/**
 * The CTC loss of a batch in ops of tfjs, for devices whose numbers cannot be had without waiting: some forty ops for each
 * frame, and as many again on the way back.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { logAddExp, masked, toFloat } from "../words.ts"
import type { Batch, Reading } from "./batch.ts"

/** What one frame is read with. */
interface Frame {
  /** Log probability of the blank: [batch, 1]. */
  readonly logBlank: Tensor
  /** Log probabilities of the labels: [batch, length]. */
  readonly logLabel: Tensor
  /** 1 if the frame only pads, else 0: [batch, 1]. */
  readonly padding: Tensor
}

/** log α: n labels read and then a blank [batch, length + 1], or the n-th label just read [batch, length]. */
interface Alphas {
  readonly blank: Tensor
  readonly label: Tensor
}

// What is impossible, but finite: a product with 0 is 0, and differences are numbers.
const impossible = -1e30

const framesOf = ({ blankId, labels, logP, logitPaddings }: Batch): ReadonlyArray<Frame> => {
  const finite = tf.maximum(logP, impossible)
  const isEmitted = tf.oneHot(labels, logP.shape[2] ?? 0)
  const logBlanks = tf.unstack(tf.slice(finite, [0, 0, blankId], [-1, -1, 1]), 1)
  const logLabels = tf.unstack(tf.matMul(finite, toFloat(isEmitted), false, true), 1)
  const paddings = tf.unstack(tf.expandDims(toFloat(tf.notEqual(logitPaddings, 0)), 2), 1)
  return logBlanks.flatMap((logBlank, frame) => {
    const [logLabel, padding] = [logLabels[frame], paddings[frame]]
    return logLabel === undefined || padding === undefined ? [] : [{ logBlank, logLabel, padding }]
  })
}

const columns = (x: Tensor, from: number, count: number): Tensor => tf.slice(x, [0, from], [-1, count])

/** log ε where the next label is the same, and a blank has to come between. */
const obstacles = ({ labels, logEpsilon }: Batch): Tensor => {
  const [batch = 0, length = 0] = labels.shape
  const last = tf.zeros([batch, 1])
  if (length === 1) return last
  const isSame = tf.equal(columns(labels, 0, length - 1), columns(labels, 1, length - 1))
  return tf.concat([tf.mul(toFloat(isSame), logEpsilon), last], 1)
}

/** Blanks after n ≥ 1 labels, which can also be reached by what is added. */
const joined = (blank: Tensor, added: Tensor): Tensor =>
  tf.concat([columns(blank, 0, 1), logAddExp(columns(blank, 1, -1), added)], 1)

const start = ({ labels, logEpsilon }: Batch): Alphas => {
  const [batch = 0, length = 0] = labels.shape
  const label = tf.fill([batch, length], logEpsilon)
  return { blank: tf.concat([tf.zeros([batch, 1]), label], 1), label }
}

/** What is kept over frames that pad. */
const unless = (padding: Tensor, before: Tensor, after: Tensor): Tensor =>
  tf.add(tf.mul(padding, before), tf.mul(tf.sub(1, padding), after))

/** How a frame leads from states to states. */
const advance = (batch: Batch): ((alphas: Alphas, frame: Frame) => Alphas) => {
  const length = batch.labels.shape[1] ?? 0
  const obstacle = obstacles(batch)
  const detour = tf.sub(batch.logEpsilon, obstacle)
  return ({ blank, label }, { logBlank, logLabel, padding }) => {
    const before = joined(blank, tf.add(label, obstacle))
    const nextLabel = tf.add(logAddExp(columns(before, 0, length), label), logLabel)
    const nextBlank = tf.add(joined(before, tf.add(label, detour)), logBlank)
    return { blank: unless(padding, blank, nextBlank), label: unless(padding, label, nextLabel) }
  }
}

/** The losses by ops of tfjs. */
export const onDevice = (batch: Batch): Reading => {
  const next = advance(batch)
  const steps: Array<Alphas> = []
  let alphas = start(batch)
  for (const frame of framesOf(batch)) {
    alphas = next(alphas, frame)
    steps.push(alphas)
  }
  const end = joined(alphas.blank, alphas.label)
  const states = end.shape[1] ?? 0
  const read = tf.sub(states - 1, tf.sum(toFloat(tf.notEqual(batch.labelPaddings, 0)), 1))
  const isRead = tf.notEqual(tf.oneHot(tf.cast(read, "int32"), states), 0)
  return {
    loss: tf.neg(tf.sum(masked(end, isRead), 1)),
    probabilities: () => ({
      blank: tf.stack([...steps.slice(0, -1).map(({ blank }) => blank), end]),
      label: tf.stack(steps.map(({ label }) => label))
    })
  }
}
