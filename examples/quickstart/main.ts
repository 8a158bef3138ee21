/**
 * The loop by hand: parameters, a loss, an optimizer with a schedule, and a hundred steps.
 *
 * Three coefficients are found from nine points of the parabola y = 1 − 2x + x²/2.
 */
import * as assert from "node:assert"
import { Autodiff, Optimizer } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

const xs = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]
const ys = xs.map((x) => 1 - 2 * x + x ** 2 / 2)

interface Parabola {
  readonly constant: tf.Scalar
  readonly linear: tf.Scalar
  readonly quadratic: tf.Scalar
}

// a loss is a plain function of a tree of tensors, in the ops of TensorFlow.js
const loss = ({ constant, linear, quadratic }: Parabola): tf.Scalar => {
  const predicted = tf.add(constant, tf.add(tf.mul(linear, xs), tf.mul(quadratic, tf.square(xs))))
  return tf.mean(tf.squaredDifference(predicted, ys))
}

const optimizer = Optimizer.adam({
  stepSize: Schedules.exponentialDecay({ stepSize: 0.3, decaySteps: 100, decayRate: 0.5 })
})

const program = Effect.gen(function* () {
  let state = yield* optimizer.init({ constant: 0, linear: 0, quadratic: 0 })
  for (let step = 0; step < 300; step++) {
    const { grads, value } = yield* Autodiff.valueAndGrad(loss)(optimizer.params(state))
    state = yield* optimizer.update(step, grads, state, { donate: true })
    if (step % 50 === 0) yield* Effect.log(`step ${step}: loss ${value.toPrecision(3)}`)
  }
  return optimizer.params(state) // the same tree again
})

const { constant, linear, quadratic } = await Effect.runPromise(program.pipe(Effect.provide(Wasm.layer)))
const found = [constant, linear, quadratic].map((tensor) => tensor.dataSync()[0] ?? Number.NaN)
console.log(`y = ${found.map((value) => value.toFixed(4)).join(", ")}`)
for (const [index, value] of [1, -2, 0.5].entries()) assert.ok(Math.abs((found[index] ?? 0) - value) < 1e-3)
