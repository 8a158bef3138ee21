/** Errors that grow like squares near zero and like absolute values far out. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { checkOptions, positive } from "./arguments.ts"
import { errorsOf } from "./squaredError.ts"
import { huber, logCosh as logCoshWord } from "./words.ts"

/** How `huberLoss` is made. */
export interface HuberLossOptions {
  /** δ: from which error on the loss is linear; 1 if left out. */
  readonly delta?: number | undefined
}

/**
 * The Huber loss of each element: quadratic up to δ, linear beyond, so that outliers pull with a bounded force.
 *
 *     q = min(|p − t|, δ)        ½·q² + δ·(|p − t| − q)
 *
 * Shapes as for `squaredError`. Throws `TensorMismatch`, or `InvalidHyperParameter` unless δ > 0. Its derivative is the
 * error clipped to [−δ, δ]. Source: Huber 1964; `optax.huber_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { sum, type Tensor } from "@tensorflow/tfjs-core"
 * import { Autodiff, Losses } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const loss = (x: Tensor): Tensor => sum(Losses.huberLoss(x, undefined, { delta: 2 }))
 * const { grads, value } = await Effect.runPromise(
 *   Autodiff.valueAndGrad(loss)(Float32Array.of(1, -100)).pipe(Effect.provide(Cpu.layer))
 * )
 * assert.deepStrictEqual([value, Array.from(grads.dataSync())], [0.5 + (2 + 2 * 98), [1, -2]])
 * ```
 */
export const huberLoss = (predictions: Tensor, targets?: Tensor, { delta = 1 }: HuberLossOptions = {}): Tensor =>
  tf.tidy(() => {
    const operation = "Losses.huberLoss"
    checkOptions(operation, { delta: [delta, positive] })
    return huber(errorsOf(operation, predictions, targets), delta)
  })

/**
 * The logarithm of the hyperbolic cosine of each error: a Huber loss with two derivatives everywhere.
 *
 *     log cosh(p − t)        ≈ ½·(p − t)² near 0, ≈ |p − t| − log 2 far out
 *
 * Shapes as for `squaredError`. Throws `TensorMismatch`. Computed without overflow, and without the cancellation of the
 * reference near 0. Its derivative is tanh(p − t). Source: Chen et al. 2019; `optax.log_cosh`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const [near = 0, far] = Losses.logCosh(tensor1d([2 ** -10, 10_000])).dataSync()
 * assert.ok(Math.abs(near / 2 ** -21 - 1) < 1e-6) // ½·x²
 * assert.strictEqual(far, Math.fround(10_000 - Math.LN2))
 * ```
 */
export const logCosh = (predictions: Tensor, targets?: Tensor): Tensor =>
  tf.tidy(() => logCoshWord(errorsOf("Losses.logCosh", predictions, targets)))
