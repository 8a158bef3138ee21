/** Divergences of distributions. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { booleans, check, floats, shapeOf } from "./arguments.ts"
import { type Axes, axesOf, checkReducible, rowsAlong } from "./axes.ts"
import { constant, masked, sumOfRows } from "./words.ts"

/** Along what a divergence is computed. */
export interface DivergenceOptions {
  /** The axis of the distribution, or axes; the last if left out, all if null. */
  readonly axis?: Axes | undefined
  /** Which elements count: bool, of the shape of the predictions. */
  readonly where?: Tensor | undefined
}

/** Σ of a divergence's terms, which are functions of elements that count. */
const divergence = (
  operation: string,
  [name, targets]: readonly [name: string, targets: Tensor],
  logPredictions: Tensor,
  { axis = -1, where }: DivergenceOptions,
  terms: (logP: Tensor, t: Tensor) => Tensor
): Tensor => {
  const shape = shapeOf(logPredictions)
  check(operation, {
    logPredictions: [logPredictions, floats(["...", "size"])],
    [name]: [targets, floats(shape)],
    ...(where === undefined ? {} : { where: [where, booleans(shape)] })
  })
  const axes = axesOf(operation, axis, logPredictions.rank)
  checkReducible(operation, "logPredictions", logPredictions, axes)
  return sumOfRows(rowsAlong(masked(terms(masked(logPredictions, where), masked(targets, where)), where), axes))
}

/** t·(log t − log p), where 0·log 0 = 0. */
const relative = (logP: Tensor, t: Tensor): Tensor => {
  const isThere = constant(() => tf.notEqual(t, 0))
  return tf.mul(t, tf.sub(tf.log(masked(t, isThere, 1)), logP))
}

/**
 * The Kullback–Leibler divergence of predictions from targets: what it costs to expect the one and get the other.
 *
 *     Σ_k t_k·(log t_k − log p_k)        0·log 0 = 0
 *
 * Logarithms of predictions and targets [..., size] of one shape; the result lacks the axis. Throws `TensorMismatch`, or
 * `InvalidHyperParameter` for an axis that is not there. Source: Kullback & Leibler 1951; `optax.kl_divergence`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { log, tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const p = tensor1d([0.5, 0.25, 0.25])
 * const [same] = Losses.klDivergence(log(p), p).dataSync()
 * const [sure = 0] = Losses.klDivergence(log(p), tensor1d([1, 0, 0])).dataSync()
 * assert.deepStrictEqual([same, sure], [0, Math.fround(Math.log(2))])
 * ```
 */
export const klDivergence = (logPredictions: Tensor, targets: Tensor, options: DivergenceOptions = {}): Tensor =>
  tf.tidy(() => divergence("Losses.klDivergence", ["targets", targets], logPredictions, options, relative))

/**
 * `klDivergence` from the logarithms of the targets.
 *
 *     Σ_k e^l_k·(l_k − log p_k)        l = log t
 *
 * Shapes, options and errors as for `klDivergence`. Source: `optax.kl_divergence_with_log_targets`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { log, tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [p, t] = [log(tensor1d([0.5, 0.5])), tensor1d([0.125, 0.875])]
 * const [a = 0] = Losses.klDivergenceWithLogTargets(p, log(t)).dataSync()
 * const [b = 1] = Losses.klDivergence(p, t).dataSync()
 * assert.ok(Math.abs(a - b) < 1e-6)
 * ```
 */
export const klDivergenceWithLogTargets = (
  logPredictions: Tensor,
  logTargets: Tensor,
  options: DivergenceOptions = {}
): Tensor =>
  tf.tidy(() =>
    divergence("Losses.klDivergenceWithLogTargets", ["logTargets", logTargets], logPredictions, options, (logP, logT) =>
      tf.mul(tf.exp(logT), tf.sub(logT, logP))
    )
  )

/**
 * The Kullback–Leibler divergence of what need not add up to 1: the Bregman divergence of x·log x − x.
 *
 *     Σ_k (t_k·(log t_k − log p_k) + p_k − t_k)        0·log 0 = 0
 *
 * Shapes, options and errors as for `klDivergence`. Source: Bregman 1967; `optax.generalized_kl_divergence`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { log, tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [p, t] = [log(tensor1d([2, 4])), tensor1d([1, 2])] // twice the targets
 * const [plain = 0] = Losses.klDivergence(p, t).dataSync()
 * const [generalized = 0] = Losses.generalizedKlDivergence(p, t).dataSync()
 * assert.ok(plain < 0 && Math.abs(generalized - (plain + 3)) < 1e-6)
 * ```
 */
export const generalizedKlDivergence = (
  logPredictions: Tensor,
  targets: Tensor,
  options: DivergenceOptions = {}
): Tensor =>
  tf.tidy(() =>
    divergence("Losses.generalizedKlDivergence", ["targets", targets], logPredictions, options, (logP, t) =>
      tf.add(relative(logP, t), tf.sub(tf.exp(logP), t))
    )
  )

/**
 * The former name of `generalizedKlDivergence`, for programs that come from Optax.
 *
 * @deprecated Use `generalizedKlDivergence`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { log, tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [p, t] = [log(tensor1d([2, 4])), tensor1d([1, 2])]
 * const [former, present] = [Losses.convexKlDivergence(p, t), Losses.generalizedKlDivergence(p, t)]
 * assert.deepStrictEqual(former.dataSync(), present.dataSync())
 * ```
 */
export const convexKlDivergence = (logPredictions: Tensor, targets: Tensor, options: DivergenceOptions = {}): Tensor =>
  generalizedKlDivergence(logPredictions, targets, options)
