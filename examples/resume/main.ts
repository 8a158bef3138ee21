/**
 * A run that is interrupted half-way and resumed ends in the very numbers of a run that never stopped.
 */
import * as assert from "node:assert"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Optimizer, Train } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"

interface Point {
  readonly x: tf.Scalar
  readonly y: tf.Scalar
}

// Rosenbrock's valley, whose floor is long and bent: its lowest point is (1, 1)
const loss = ({ x, y }: Point): tf.Scalar =>
  tf.add(tf.square(tf.sub(1, x)), tf.mul(100, tf.squaredDifference(y, tf.square(x))))

const params = { x: -1.2, y: 1 }

const optimizer = Optimizer.adam({
  stepSize: Schedules.inverseTimeDecay({ stepSize: 0.02, decaySteps: 100, decayRate: 0.1 })
})

/**
 * Trains up to step 100: from the newest checkpoint in the directory, if there is one. Saves every 20 steps, and when it is
 * interrupted, as by Ctrl-C.
 */
const run = Effect.fnUntraced(
  function* (_directory: string, interruptAt: number) {
    const manager = yield* CheckpointManager.make({
      items: { state: Item.state(optimizer, params) },
      policy: { everySteps: 20 },
      retention: { last: 2 }
    })
    const start = yield* manager.restore().pipe(
      Effect.map(({ items, step }) => ({ state: items.state, step })),
      Effect.catchTag("NoCheckpoint", () => Effect.map(optimizer.init(params), (state) => ({ state, step: 0 })))
    )
    const trainer = yield* Train.make({
      optimizer,
      loss,
      ...start,
      batches: Stream.range(start.step, 99),
      checkpoints: { manager, values: ({ state }) => ({ state }) }
    })
    yield* Stream.runForEach(trainer.steps, ({ step }) => (step === interruptAt ? Effect.interrupt : Effect.void))
    const { x, y } = yield* trainer.params
    return { from: start.step, point: [x.dataSync()[0], y.dataSync()[0]] }
  },
  Effect.scoped,
  (effect, directory) => Effect.provide(effect, CheckpointStore.layerFiles(directory))
)

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const whole = yield* run(`${directory}/whole`, -1)
  const interrupted = yield* Effect.exit(run(`${directory}/run`, 49))
  const resumed = yield* run(`${directory}/run`, -1)
  return { interrupted, resumed, whole }
})

const { interrupted, resumed, whole } = await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide([Wasm.layer, NodeServices.layer]))
)

for (const { from, point } of [whole, resumed]) {
  console.log(`steps ${from} to 99 end at ${point.map((value) => value?.toFixed(6)).join("  ")}`)
}
assert.ok(Exit.isFailure(interrupted))
assert.deepStrictEqual([whole.from, resumed.from], [0, 50])
assert.deepStrictEqual(resumed.point, whole.point) // to the last bit
