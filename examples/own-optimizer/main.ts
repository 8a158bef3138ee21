/**
 * An optimizer of one's own: Lion, which steps by the sign of a mean of gradients.
 *
 *     x ← x − α(t)·sign(b1·m + (1−b1)·g)
 *     m ← b2·m + (1−b2)·g
 *
 * The rule is written for one tensor; `leafwise` makes it an optimizer for any tree, with schedules, donation and
 * checkpoints. Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms".
 */
import * as assert from "node:assert"
import { Expr, Optimizer, Scalar, Train } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

interface LionOptions {
  readonly stepSize: Schedules.StepSize
  readonly b1?: number
  readonly b2?: number
}

const lion = Optimizer.leafwise(({ b1 = 0.9, b2 = 0.99, stepSize }: LionOptions) => {
  const rate = Scalar.schedule(stepSize)
  return {
    name: "lion",
    hyperParameters: { stepSize, b1, b2 },
    init: (x) => ({ x, m: Expr.zerosLike(x) }),
    update: (t, g, { m, x }) => ({
      x: Expr.sub(x, Expr.mul(rate(t), Expr.sign(Expr.ema(b1, m, g)))),
      m: Expr.ema(b2, m, g)
    }),
    params: ({ x }) => x
  }
})

/** Sixteen points of the plane z = 2·x₀ − 3·x₁ + 1. */
const points = Effect.gen(function* () {
  const x = yield* Effect.replicateEffect(Effect.all([Random.nextBetween(-1, 1), Random.nextBetween(-1, 1)]), 16)
  return { x, z: x.map(([x0, x1]) => 2 * x0 - 3 * x1 + 1) }
})

interface Plane {
  readonly slopes: tf.Tensor1D
  readonly offset: tf.Scalar
}

const loss = ({ offset, slopes }: Plane, { x, z }: Effect.Success<typeof points>): tf.Scalar =>
  tf.mean(tf.abs(tf.sub(tf.add(tf.dot(tf.tensor2d(x), slopes), offset), z)))

const program = Effect.gen(function* () {
  const trainer = yield* Train.make({
    optimizer: lion({ stepSize: Schedules.polynomialDecay({ stepSize: 0.05, decaySteps: 300, finalStepSize: 0 }) }),
    loss,
    params: { slopes: Float32Array.of(0, 0), offset: 0 },
    batches: Stream.fromEffectRepeat(points)
  })
  const numbers = Effect.map(trainer.params, ({ offset, slopes }) => [...slopes.dataSync(), ...offset.dataSync()])
  yield* Stream.runDrain(Stream.take(trainer.steps, 1))
  const first = yield* numbers
  yield* Stream.runDrain(Stream.take(trainer.steps, 299))
  return { first, last: yield* numbers }
})

const { first, last } = await Effect.runPromise(
  program.pipe(Random.withSeed("lion"), Effect.scoped, Effect.provide(Wasm.layer))
)
console.log(`after one step: ${first.map((value) => value.toFixed(3)).join(", ")}`)
console.log(`after 300 steps: ${last.map((value) => value.toFixed(3)).join(", ")}`)
// Lion moves every element by the step size, however large its gradient is
assert.deepStrictEqual(first.map(Math.abs), [0.05, 0.05, 0.05].map(Math.fround))
for (const [index, value] of [2, -3, 1].entries()) assert.ok(Math.abs((last[index] ?? 0) - value) < 0.01)
