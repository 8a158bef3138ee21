/**
 * A run that is saved half-way and resumed ends in the very numbers of a run that never stopped.
 */
import * as assert from "node:assert"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Autodiff, Optimizer, type OptimizerState } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import { Checkpoint } from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

interface Point {
  readonly x: tf.Scalar
  readonly y: tf.Scalar
}

// Rosenbrock's valley, whose floor is long and bent: its lowest point is (1, 1)
const loss = ({ x, y }: Point): tf.Scalar =>
  tf.add(tf.square(tf.sub(1, x)), tf.mul(100, tf.squaredDifference(y, tf.square(x))))

const params = { x: -1.2, y: 1 }

const makeOptimizer = () =>
  Optimizer.adam({ stepSize: Schedules.inverseTimeDecay({ stepSize: 0.02, decaySteps: 100, decayRate: 0.1 }) })

/** The steps from one to another, as a loop by hand; `state` is given away. */
const advance = Effect.fnUntraced(function* <S>(
  optimizer: Optimizer.Optimizer<S>,
  state: OptimizerState.OptimizerState<Point, S>,
  [from, to]: readonly [number, number]
) {
  let current = state
  for (let step = from; step < to; step++) {
    const { grads } = yield* Autodiff.valueAndGrad(loss)(optimizer.params(current))
    current = yield* optimizer.update(step, grads, current, { donate: true })
  }
  return yield* Checkpoint.take({ optimizer, step: to, state: current })
})

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/run.safetensors`

  const optimizer = makeOptimizer()
  const whole = yield* advance(optimizer, yield* optimizer.init(params), [0, 100])
  const half = yield* advance(optimizer, yield* optimizer.init(params), [0, 50])
  yield* Checkpoint.write(path, half)

  // as in another process: all that is known is in the file
  const anew = makeOptimizer()
  const saved = yield* Checkpoint.load(path, { optimizer: anew, params })
  const resumed = yield* advance(anew, saved.state, [saved.step, 100])
  return { half, resumed, whole }
})

const { half, resumed, whole } = await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide([Wasm.layer, NodeServices.layer]))
)

const show = ({ leaves, step }: Checkpoint.Checkpoint) =>
  console.log(`step ${step}: ${leaves.map(({ data }) => data[0]?.toFixed(6)).join("  ")}`)
show(half)
show(whole)
show(resumed)
assert.strictEqual(half.step, 50)
assert.notDeepEqual(half.leaves, whole.leaves)
assert.deepStrictEqual(resumed, whole) // the parameters and both moments, to the last bit
