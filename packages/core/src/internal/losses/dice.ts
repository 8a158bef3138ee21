/** Losses of regions: how little what is predicted overlaps with what is there. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidHyperParameter } from "../../OptimError.ts"
import { nonNegative } from "../optimizer/hyperParameters.ts"
import { check, checkElements, checkOptions, finite, floats, numbers, oneOf, shapeOf } from "./arguments.ts"
import { axesOf, checkReducible, rowsAlong } from "./axes.ts"
import { softmax, sumOfRows, toFloat } from "./words.ts"

/** How `diceLoss` is made. */
export interface DiceLossOptions {
  /** The weight of each class, [classes]; 1 if left out. */
  readonly classWeights?: Tensor | null | undefined
  /** Keeps the quotient from 0/0, and the derivative small where there is next to nothing; 1 if left out. */
  readonly smooth?: number | undefined
  /** The weight of what is predicted and not there; ½ if left out. */
  readonly alpha?: number | undefined
  /** The weight of what is there and not predicted; ½ if left out. */
  readonly beta?: number | undefined
  /** Are predictions logits, whose softmax (of one class: sigmoid) is taken? True if left out. */
  readonly applySoftmax?: boolean | undefined
  /** What is made of the losses of the classes: their mean if left out, their sum, or nothing. */
  readonly reduction?: "mean" | "sum" | "none" | undefined
  /** Leave out class 0, if there are others; false if left out. */
  readonly ignoreBackground?: boolean | undefined
  /** The axis or axes of the region; all but the first and the last if left out. */
  readonly axis?: number | ReadonlyArray<number> | null | undefined
}

/** A last axis of one class for what has none. */
const withClasses = (predictions: Tensor, targets: Tensor): readonly [Tensor, Tensor] => {
  const short = predictions.rank - targets.rank
  return [
    short === -1 ? tf.expandDims(predictions, -1) : predictions,
    short === 1 ? tf.expandDims(targets, -1) : targets
  ]
}

/** Throws `InvalidArgument` unless predictions add up to 1 over the classes. */
const checkDistributions = (operation: string, predictions: Tensor): void =>
  checkElements(
    operation,
    "the sum over classes of predictions",
    sumOfRows(predictions),
    "1, or logits and applySoftmax",
    (total) => Math.abs(total - 1) <= 1e-5
  )

const regionAxes = (operation: string, axis: DiceLossOptions["axis"], rank: number): ReadonlyArray<number> => {
  if (axis === undefined || axis === null) return Array.from({ length: Math.max(0, rank - 2) }, (_, index) => index + 1)
  const axes = axesOf(operation, axis, rank)
  if (!axes.includes(rank - 1)) return axes
  throw new InvalidHyperParameter({
    optimizer: operation,
    parameter: "axis",
    value: JSON.stringify(axis),
    expected: "axes of a region, not the last one, which is that of the classes"
  })
}

const probabilities = (logits: Tensor): Tensor => (logits.shape.at(-1) === 1 ? tf.sigmoid(logits) : softmax(logits))

/** What the quotient of regions is made with. */
type Weights = { readonly [K in "alpha" | "beta" | "smooth"]: number }

const overlap = (p: Tensor, t: Tensor, axes: ReadonlyArray<number>, { alpha, beta, smooth }: Weights): Tensor => {
  const over = (x: Tensor): Tensor => sumOfRows(rowsAlong(x, axes))
  const both = over(tf.mul(p, t))
  const excess = tf.mul(tf.sub(over(p), both), alpha)
  const lack = tf.mul(tf.sub(over(t), both), beta)
  return tf.div(tf.add(both, smooth), tf.add(tf.add(tf.add(both, excess), lack), smooth))
}

const reduced = (losses: Tensor, reduction: "mean" | "sum" | "none"): Tensor =>
  reduction === "none" ? losses : reduction === "sum" ? sumOfRows(losses) : tf.mean(losses, -1)

const foreground = (losses: Tensor): Tensor => {
  const axis = losses.rank - 1
  const from = losses.shape.map((_, index) => (index === axis ? 1 : 0))
  return tf.slice(
    losses,
    from,
    losses.shape.map((size, index) => (index === axis ? size - 1 : size))
  )
}

const dice = (operation: string, predictions: Tensor, targets: Tensor, options: DiceLossOptions): Tensor => {
  const { alpha = 0.5, applySoftmax = true, axis, beta = 0.5, classWeights, ignoreBackground = false } = options
  const { reduction = "mean", smooth = 1 } = options
  checkOptions(operation, {
    smooth: [smooth, nonNegative],
    alpha: [alpha, finite],
    beta: [beta, finite],
    reduction: [reduction, oneOf("mean", "sum", "none")]
  })
  const axes = regionAxes(operation, axis, predictions.rank)
  checkReducible(operation, "predictions", predictions, [...axes, predictions.rank - 1])
  if (!applySoftmax && predictions.shape.at(-1) !== 1) checkDistributions(operation, predictions)
  const p = applySoftmax ? probabilities(predictions) : predictions
  const plain = tf.sub(1, overlap(p, toFloat(targets), axes, { alpha, beta, smooth }))
  const losses = classWeights === undefined || classWeights === null ? plain : tf.mul(plain, classWeights)
  const kept = ignoreBackground && (losses.shape.at(-1) ?? 0) > 1 ? foreground(losses) : losses
  return reduced(kept, reduction)
}

/**
 * One less the overlap of predicted and true regions, class by class.
 *
 *     1 − (I + s) / (I + α·(P − I) + β·(T − I) + s)        I = Σ p·t, P = Σ p, T = Σ t over the region, p = softmax(x)
 *
 * Predictions [batch, ..., classes] and one-hot targets of the same shape; where one of both lacks the axis of the
 * classes there is one class. The result is [batch], or [batch, classes] unreduced. With α = β = ½ this is Dice's
 * coefficient, otherwise Tversky's index. Throws `TensorMismatch`, `InvalidHyperParameter`, or `InvalidArgument` for
 * probabilities that do not add up to 1. Source: Milletari, Navab & Ahmadi 2016; Salehi, Erdogmus & Gholipour 2017;
 * `optax.losses.dice_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor3d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const there = tensor3d([[[1, 0], [1, 0], [0, 1], [0, 1]]]) // one image of 4 pixels, 2 classes
 * const found = tensor3d([[[1, 0], [0, 1], [1, 0], [0, 1]]]) // half of it
 * const options = { applySoftmax: false, smooth: 0 }
 * const [right] = Losses.diceLoss(there, there, options).dataSync()
 * const [half] = Losses.diceLoss(found, there, options).dataSync()
 * assert.deepStrictEqual([right, half], [0, 0.5])
 * ```
 */
export const diceLoss = (predictions: Tensor, targets: Tensor, options: DiceLossOptions = {}): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.diceLoss"
    const shape = shapeOf(predictions)
    const isShort = shape.length === shapeOf(targets).length - 1
    check(operation, {
      predictions: [predictions, floats(["...", "classes"])],
      targets: [
        targets,
        isShort ? numbers([...shape, 1]) : numbers(shape, ...(shape.at(-1) === 1 ? [shape.slice(0, -1)] : []))
      ]
    })
    const [p, t] = withClasses(predictions, targets)
    const { classWeights } = options
    if (classWeights !== undefined && classWeights !== null)
      check(operation, { classWeights: [classWeights, floats([p.shape.at(-1) ?? 0])] })
    return dice(operation, p, t, options)
  })

/** How `multiclassGeneralizedDiceLoss` is made; see `DiceLossOptions`. */
export type GeneralizedDiceLossOptions = Pick<DiceLossOptions, "smooth" | "applySoftmax" | "ignoreBackground">

// Optax's: keeps classes that are nowhere from an infinite weight.
const rarest = 1e-7

/** 1/frequency², so that small regions count as much as large ones; the mean weight is 1. */
const inverseSquares = (targets: Tensor): Tensor => {
  const pixels = targets.shape.slice(0, -1).map((_, axis) => axis)
  const frequency = sumOfRows(rowsAlong(targets, pixels))
  const weights = tf.div(1, tf.add(tf.square(frequency), rarest))
  return tf.mul(tf.div(weights, tf.sum(weights)), weights.size)
}

/**
 * The Dice loss with classes weighted by the inverse square of their frequency, averaged over batch and classes.
 *
 *     mean_bc w_c·diceLoss_bc        w_c ∝ 1 / ((Σ t_c)² + 1e-7), Σ_c w_c = classes
 *
 * Predictions and one-hot targets [batch, ..., classes] of one shape; the result is one number. Errors as for `diceLoss`.
 * Source: Sudre et al. 2017; `optax.losses.multiclass_generalized_dice_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor3d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const there = tensor3d([[[1, 0], [1, 0], [1, 0], [0, 1]]])
 * const missed = tensor3d([[[1, 0], [1, 0], [1, 0], [1, 0]]]) // the rare class, a quarter of the pixels
 * const options = { applySoftmax: false, smooth: 0 }
 * const [generalized = 0] = Losses.multiclassGeneralizedDiceLoss(missed, there, options).dataSync()
 * const [plain = 0] = Losses.diceLoss(missed, there, options).dataSync()
 * assert.ok(generalized > 0.9 && plain < 0.6)
 * ```
 */
export const multiclassGeneralizedDiceLoss = (
  predictions: Tensor,
  targets: Tensor,
  options: GeneralizedDiceLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.multiclassGeneralizedDiceLoss"
    const shape = shapeOf(predictions)
    check(operation, {
      predictions: [predictions, floats(["...", "classes"])],
      targets: [targets, numbers(shape)]
    })
    const classWeights = inverseSquares(toFloat(targets))
    return tf.mean(dice(operation, predictions, targets, { ...options, classWeights, reduction: "none" }))
  })

/** How `binaryDiceLoss` is made. */
export interface BinaryDiceLossOptions {
  /** As in `DiceLossOptions`; 1 if left out. */
  readonly smooth?: number | undefined
  /** Are predictions logits, whose sigmoid is taken? True if left out. */
  readonly applySigmoid?: boolean | undefined
}

/**
 * The Dice loss of one region.
 *
 *     1 − (I + s) / (½·P + ½·T + s)        I = Σ p·t, P = Σ p, T = Σ t over the region, p = σ(x)
 *
 * Predictions and targets [batch, ...] or [batch, ..., 1] of one shape; the result is [batch]. Errors as for `diceLoss`.
 * Source: Milletari, Navab & Ahmadi 2016; `optax.losses.binary_dice_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor2d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [there, found] = [tensor2d([[1, 1, 1, 0]]), tensor2d([[1, 1, 0, 0]])]
 * const [loss = 0] = Losses.binaryDiceLoss(found, there, { applySigmoid: false, smooth: 0 }).dataSync()
 * assert.ok(Math.abs(loss - (1 - 2 / 2.5)) < 1e-6) // 2 in common, 2 and 3 in each
 * ```
 */
export const binaryDiceLoss = (
  predictions: Tensor,
  targets: Tensor,
  { applySigmoid = true, smooth = 1 }: BinaryDiceLossOptions = {}
): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.binaryDiceLoss"
    const shape = shapeOf(predictions)
    check(operation, { predictions: [predictions, floats(["...", "size"])], targets: [targets, numbers(shape)] })
    const region = (x: Tensor): Tensor => (shape.at(-1) === 1 ? x : tf.expandDims(x, -1))
    return dice(operation, region(predictions), region(targets), { smooth, applySoftmax: applySigmoid })
  })
