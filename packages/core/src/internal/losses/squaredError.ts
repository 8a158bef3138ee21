/** Squares of errors. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { check, floats, numbers, shapeOf } from "./arguments.ts"
import { toFloat } from "./words.ts"

/** predictions − targets, where missing targets are zeros. */
export const errorsOf = (operation: string, predictions: Tensor, targets: Tensor | undefined): Tensor => {
  check(operation, {
    predictions: [predictions, floats(["..."])],
    ...(targets === undefined ? {} : { targets: [targets, numbers(shapeOf(predictions))] })
  })
  return targets === undefined ? predictions : tf.sub(predictions, toFloat(targets))
}

/**
 * The squared error of each element.
 *
 *     (p − t)²
 *
 * Predictions of any shape; targets of the same shape, or none, which are zeros. The result has this shape; its mean is
 * the mean squared error. Throws `TensorMismatch`. Source: `optax.squared_error`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import "@tensorflow/tfjs-backend-cpu"
 * import { tensor1d } from "@tensorflow/tfjs-core"
 * import { Losses } from "@optim/core"
 *
 * const loss = Losses.squaredError(tensor1d([2, 1, -3]), tensor1d([2, 3, 0]))
 * assert.deepStrictEqual(Array.from(loss.dataSync()), [0, 4, 9])
 * ```
 */
export const squaredError = (predictions: Tensor, targets?: Tensor): Tensor =>
  tf.tidy(() => tf.square(errorsOf("Losses.squaredError", predictions, targets)))

/**
 * Half the squared error of each element, whose derivative is the error.
 *
 *     ½·(p − t)²
 *
 * Shapes and errors as for `squaredError`. Source: Bishop 2006, 1.1; `optax.l2_loss`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { sum, type Tensor } from "@tensorflow/tfjs-core"
 * import { Autodiff, Losses } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const gradient = Autodiff.grad((x: Tensor) => sum(Losses.l2Loss(x)))(Float32Array.of(0.5, -3))
 * const errors = await Effect.runPromise(gradient.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(Array.from(errors.dataSync()), [0.5, -3])
 * ```
 */
export const l2Loss = (predictions: Tensor, targets?: Tensor): Tensor =>
  tf.tidy(() => tf.mul(tf.square(errorsOf("Losses.l2Loss", predictions, targets)), 0.5))
