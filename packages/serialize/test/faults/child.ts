/** A process that saves as fast as it can, until it is killed: it says how far it is, once that is durable. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { CheckpointManager, CheckpointStore } from "@optim/serialize"
import * as Effect from "effect/Effect"
import { items, lease, noTensors, shardSize, valuesAt } from "./run.ts"

const directory = process.argv[2] ?? ""

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const program = Effect.gen(function* () {
  const manager = yield* CheckpointManager.make({ items, shardSize, lease, retention: { last: 2 } })
  const start = yield* manager.restore().pipe(
    Effect.map(({ step }) => step),
    Effect.catchTag("NoCheckpoint", () => Effect.succeed(0))
  )
  yield* say(`begun ${start}`)
  for (let step = start + 1; ; step++) {
    yield* manager.save(step, valuesAt(step))
    if (step % 3 === 0) continue // this one may be superseded while it waits
    yield* manager.flush
    yield* say(`saved ${step}`)
  }
})

await Effect.runPromise(
  program.pipe(
    Effect.scoped,
    Effect.provide([CheckpointStore.layerFiles(directory), noTensors]),
    Effect.provide(NodeServices.layer)
  )
)
