/**
 * The words that losses are written in, where tfjs' own will not do.
 *
 * Each has its derivative beside it. At a corner it is the mean of both sides, shared evenly between ties (tfjs gives
 * one side all, and every tie the whole): scores that all start at zero stand exactly there. Far out, nothing overflows
 * and no 0·∞ appears on the way back. NaN stays NaN.
 *
 * On wasm some ops of tfjs 4.22 are not what they seem: `log1p(x)` is `log(1 + x)`, and 0 for x = 1e-10; `clipByValue`
 * makes a number of NaN; to repeat a number, to compare with broadcasting or to stack along the last axis takes 30 ms for
 * 128,000 elements, 50 times as long as an exponential. The words do without them.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { GradSaveFunc, Tensor } from "@tensorflow/tfjs-core"
import { isAtHand } from "./arguments.ts"

/** How a word is computed, what is kept of it for the way back, and the way back. */
interface Word {
  readonly value: Tensor
  readonly keep: Tensor
  readonly pullback: (dy: Tensor, kept: Tensor) => Tensor
}

/**
 * An op of one argument with a derivative of its own. What is kept, is kept after everything else has succeeded, and is
 * one tensor: so no failure leaves anything behind.
 */
const word =
  (compute: (x: Tensor) => Word): ((x: Tensor) => Tensor) =>
  (x) =>
    tf.customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
      // tfjs hands the arguments over first and its `save` last.
      const { keep, pullback, value } = compute(x as Tensor)
      const saveForLater = save as GradSaveFunc
      saveForLater([keep])
      return { value, gradFunc: (dy: Tensor, [kept]: Array<Tensor>) => tf.tidy(() => pullback(dy, kept ?? keep)) }
    })(x)

/** A word whose derivative is a function of its argument, and so can be differentiated in turn. */
const smooth = (value: (x: Tensor) => Tensor, pullback: Word["pullback"]): ((x: Tensor) => Tensor) =>
  word((x) => ({ value: value(x), keep: x, pullback }))

/** The numbers as float32, whatever they were. */
export const toFloat = (x: Tensor): Tensor => (x.dtype === "float32" ? x : tf.cast(x, "float32"))

/**
 * What is computed here is a constant on the way back. tfjs cannot differentiate comparisons, not even to find that a
 * condition has no derivative.
 */
export const constant = (compute: () => Tensor): Tensor =>
  tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))()

/** x where the mask of its shape says so, elsewhere a number; everything without a mask. */
export const masked = (x: Tensor, mask: Tensor | undefined, otherwise = 0): Tensor => {
  if (mask === undefined) return x
  const condition = constant(() => tf.reshape(mask, mask.shape))
  return tf.where(condition, x, tf.fill(x.shape, otherwise))
}

// On wasm tf.relu makes 0 of some NaN and keeps others, depending on where they lie; this maximum keeps its first argument.
const positivePart = (x: Tensor): Tensor => tf.maximum(x, tf.zerosLike(x))

/** max(x, 0), with the derivative ½ at 0. */
export const relu = smooth(positivePart, (dy, x) => tf.mul(dy, tf.mul(tf.add(tf.sign(x), 1), 0.5)))

/** log(1 + e^−|x|), whose derivative at 0 is 0. */
export const softplusOfMinusAbs = smooth(
  (x) => tf.softplus(tf.neg(tf.abs(x))),
  (dy, x) => tf.neg(tf.mul(dy, tf.mul(tf.sign(x), tf.sigmoid(tf.neg(tf.abs(x))))))
)

/** log σ(x). */
export const logSigmoid = (x: Tensor): Tensor => tf.neg(tf.add(relu(tf.neg(x)), softplusOfMinusAbs(x)))

/** Half the square up to δ, and linear beyond; its derivative is x, clipped. */
export const huber = (x: Tensor, delta: number): Tensor =>
  smooth(
    (x) => {
      const size = tf.abs(x)
      const quadratic = tf.clipByValue(size, 0, delta)
      return tf.add(tf.mul(tf.square(quadratic), 0.5), tf.mul(tf.sub(size, quadratic), delta))
    },
    (dy, x) => tf.mul(dy, tf.clipByValue(x, -delta, delta))
  )(x)

/** log cosh x, to the last digits at both ends: with t = tanh x, artanh(t² / (2 − t²)), or |x| + log(1 + e^−2|x|) − log 2. */
export const logCosh = smooth(
  (x) => {
    const size = tf.abs(x)
    const square = tf.square(tf.tanh(x))
    const near = tf.atanh(tf.div(square, tf.sub(2, square)))
    const far = tf.add(tf.sub(size, Math.LN2), tf.softplus(tf.mul(size, -2)))
    return tf.where(tf.less(size, 1), near, far)
  },
  (dy, x) => tf.mul(dy, tf.tanh(x))
)

/** 0 up to −1, x from 1 on, (x + 1)²/4 in between; its derivative is the sparse sigmoid. */
export const sparsePlus = smooth(
  (x) => tf.where(tf.greater(x, 1), x, tf.mul(tf.square(positivePart(tf.add(x, 1))), 0.25)),
  (dy, x) => tf.mul(dy, tf.clipByValue(tf.mul(tf.add(x, 1), 0.5), 0, 1))
)

// log(1 + e^−|d|) from the side of d ≥ 0 at 0, because tfjs' maximum takes the first of two equals.
const gapTerm = smooth(
  (d) => tf.softplus(tf.neg(tf.abs(d))),
  (dy, d) => {
    const side = tf.sub(tf.mul(tf.step(tf.neg(d)), 2), 1)
    return tf.mul(dy, tf.mul(side, tf.sigmoid(tf.neg(tf.abs(d)))))
  }
)

/** log(e^a + e^b), for numbers that are not both −∞. */
export const logAddExp = (a: Tensor, b: Tensor): Tensor => tf.add(tf.maximum(a, b), gapTerm(tf.sub(a, b)))

// The least finite float32. It is taken as the largest of numbers that are all −∞: −∞ − (−∞) is not a number.
const lowest = -(2 - 2 ** -23) * 2 ** 127

/** The sum of each row, the last axis, which goes. */
export const sumOfRows = (x: Tensor): Tensor => tf.sum(x, x.rank - 1)

const sumOf = (x: Tensor): Tensor => tf.sum(x, x.rank - 1, true)

/** Rows less their largest element, exponentials and their sums; what is reduced keeps an axis of size 1. */
const shifted = (x: Tensor) => {
  const peak = tf.maximum(tf.max(x, x.rank - 1, true), lowest)
  const rest = tf.sub(x, peak)
  const powers = tf.exp(rest)
  return { peak, rest, powers, total: sumOf(powers) }
}

/** e^x / Σ e^x in each row. */
export const softmax: (x: Tensor) => Tensor = smooth(
  (x) => {
    const { powers, total } = shifted(x)
    // The sum has the term e^0 = 1, unless all are e^−∞: then there is nothing to share.
    return tf.div(powers, tf.maximum(total, 1))
  },
  (dy, x) => {
    const p = softmax(x)
    return tf.mul(p, tf.sub(dy, sumOf(tf.mul(dy, p))))
  }
)

/** log Σ e^x of each row, which keeps an axis of size 1. */
export const logSumExp = smooth(
  (x) => {
    const { peak, total } = shifted(x)
    return tf.add(peak, tf.log(total))
  },
  (dy, x) => tf.mul(dy, softmax(x))
)

/** x − log Σ e^x in each row, without adding the largest element and taking it off again. */
export const logSoftmax = smooth(
  (x) => {
    const { rest, total } = shifted(x)
    return tf.sub(rest, tf.log(total))
  },
  (dy, x) => tf.sub(dy, tf.mul(softmax(x), sumOf(dy)))
)

const peakOf = smooth(
  (x) => tf.max(x, x.rank - 1, true),
  (dy, x) => {
    // 1 where x is the largest, 0 where it is less
    const ties = tf.add(tf.sign(tf.sub(x, tf.max(x, x.rank - 1, true))), 1)
    return tf.mul(dy, tf.div(ties, sumOf(ties)))
  }
)

/** The largest element of each row; ties share the derivative. */
export const largest = (x: Tensor): Tensor => tf.reshape(peakOf(x), x.shape.slice(0, -1))

// Of tfjs' two ways one loses memory on wasm when there is too little, the other on graphics processors always.
const gathered = (x: Tensor, positions: Tensor): Tensor =>
  isAtHand() ? tf.gatherND(x, tf.expandDims(positions, 1)) : tf.gather(x, positions)

/** The elements of a vector at positions [n]. */
const taken = (x: Tensor, positions: Tensor): Tensor =>
  word((x) => ({
    value: gathered(x, positions),
    keep: positions,
    pullback: (dy, positions) => placed(dy, positions, x.size)
  }))(x)

/** A vector of zeros, but for these elements at positions [n]. */
const placed = (values: Tensor, positions: Tensor, size: number): Tensor =>
  word((values) => ({
    value: tf.scatterND(tf.expandDims(positions, 1), values, [size]),
    keep: positions,
    pullback: taken
  }))(values)

/** Of each row of the last axis the element with the row's index: of [..., size] and int32 [...], [...]. */
export const picked = (x: Tensor, indices: Tensor): Tensor => {
  // tfjs picks nothing from nothing with an error.
  if (x.size === 0) return sumOfRows(x)
  const size = x.shape.at(-1) ?? 1
  const starts = tf.reshape(tf.range(0, x.size, size, "int32"), indices.shape)
  const positions = tf.reshape(tf.add(starts, indices), [indices.size])
  return tf.reshape(taken(tf.reshape(x, [x.size]), positions), indices.shape)
}

/** The number t for which the positive parts of x − t add up to 1: if the largest k stay positive, (their sum − 1) / k. */
const threshold = (row: Float32Array): number => {
  let [sum, t] = [-1, Number.NaN]
  for (const [index, x] of row.toSorted().toReversed().entries()) {
    sum += x
    const next = sum / (index + 1)
    if (!(x > next)) break
    t = next
  }
  return t
}

/** The threshold of each row, by sorting on the host. */
const thresholdsOnHost = (x: Tensor): Tensor => {
  const size = x.shape.at(-1) ?? 1
  const data = Float32Array.from(x.dataSync())
  const rows = Array.from({ length: x.size / size }, (_, row) => data.subarray(row * size, (row + 1) * size))
  return tf.tensor(rows.map(threshold), [...x.shape.slice(0, -1), 1], "float32")
}

/** The same on a device, where tfjs' top k is a sort. On wasm it is slower, and loses memory when there is too little. */
export const thresholdsOnDevice = (x: Tensor): Tensor => {
  const axis = x.rank - 1
  const size = x.shape[axis] ?? 0
  const { values } = tf.topk(x, size, true)
  const isPositive = tf.greater(values, tf.div(tf.sub(tf.cumsum(values, axis), 1), tf.range(1, size + 1)))
  return tf.div(tf.sub(sumOf(masked(values, isPositive)), 1), sumOf(toFloat(isPositive)))
}

const thresholds = (x: Tensor): Tensor => (isAtHand() ? thresholdsOnHost(x) : thresholdsOnDevice(x))

/** The nearest point of the probability simplex to each row. */
export const simplex: (x: Tensor) => Tensor = smooth(
  (x) => {
    const centred = tf.sub(x, tf.max(x, x.rank - 1, true))
    return positivePart(tf.sub(centred, thresholds(centred)))
  },
  (dy, x) => {
    const support = constant(() => tf.step(simplex(x)))
    const within = tf.mul(dy, support)
    return tf.sub(within, tf.mul(tf.div(sumOf(within), sumOf(support)), support))
  }
)
