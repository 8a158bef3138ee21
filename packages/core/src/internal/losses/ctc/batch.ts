/** What the CTC loss is computed from, and what comes out, wherever it is computed. */
import type { Tensor } from "@tensorflow/tfjs-core"

/** A batch of sequences, checked. */
export interface Batch {
  /** Log probabilities [batch, frames, classes]. */
  readonly logP: Tensor
  /** Not 0 where a frame only pads: [batch, frames]. */
  readonly logitPaddings: Tensor
  /** int32 [batch, length]. */
  readonly labels: Tensor
  /** Not 0 where a label only pads: [batch, length]. */
  readonly labelPaddings: Tensor
  readonly blankId: number
  /** log ε, which stands for log 0. */
  readonly logEpsilon: number
}

/** log α after each frame; in the last one the blank's has taken in the label's. */
export interface ForwardProbabilities {
  /** [frames, batch, length + 1] */
  readonly blank: Tensor
  /** [frames, batch, length] */
  readonly label: Tensor
}

/** The losses of a batch as a function of its log probabilities, and on demand how they came about. */
export interface Reading {
  /** [batch] */
  readonly loss: Tensor
  readonly probabilities: () => ForwardProbabilities
}

type Numbers = Float32Array | Int32Array | Uint8Array

/** The rows of a matrix, on the host. */
export const rowsOf = (x: Tensor): ReadonlyArray<Numbers> => {
  const size = x.size / (x.shape[0] ?? 1)
  const data: Numbers = x.dataSync()
  return Array.from({ length: x.shape[0] ?? 0 }, (_, row) => data.subarray(row * size, (row + 1) * size))
}

/** Does a padding say so? */
export const isSet = (x: number): boolean => x !== 0
