/** The CTC loss of a batch on the host: tensors are read, and the recursion runs in plain loops. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { type Batch, type ForwardProbabilities, isSet, type Reading, rowsOf } from "./batch.ts"
import { backward, ended, forward, type Sequence, type States } from "./recursion.ts"

/** The sequences of a batch, on the host. */
const split = ({ blankId, labelPaddings, labels, logEpsilon, logP, logitPaddings }: Batch): ReadonlyArray<Sequence> => {
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

const probabilities = ({ alphas, ends, sequences }: Read): ForwardProbabilities => {
  const [frames, batch] = [sequences[0]?.isPadding.length ?? 0, sequences.length]
  const stacked = (size: number, pick: (sequence: number, frame: number) => Float64Array | undefined): Tensor => {
    const parts = Array.from({ length: frames * batch }, (_, at) => pick(at % batch, Math.floor(at / batch)) ?? [])
    return tf.tensor(joined(frames * batch * size, parts), [frames, batch, size])
  }
  const length = sequences[0]?.labels.length ?? 0
  const blankOf = (sequence: number, frame: number): Float64Array | undefined =>
    frame === frames - 1 ? ends[sequence] : alphas[sequence]?.[frame + 1]?.blank
  return {
    blank: stacked(length + 1, blankOf),
    label: stacked(length, (sequence, frame) => alphas[sequence]?.[frame + 1]?.label)
  }
}

/** The losses by plain loops on the host. */
export const onHost = (batch: Batch): Reading => {
  const value = read(split(batch))
  return { loss: losses(batch.logP, value), probabilities: () => probabilities(value) }
}
