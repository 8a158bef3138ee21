/** Flips single bits of a checkpoint, and looks whether that is noticed. */
import { CheckpointManager, CheckpointStore } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { makeRandom, pick } from "./random.ts"
import { items, noTensors, shardSize, valuesAt } from "./run.ts"

/** What was found. */
export interface FlipReport {
  readonly flips: number
  /** Reported as damage. */
  readonly detected: number
  /** What was restored was what was saved, and all of it was checked. */
  readonly harmless: number
  /** What was restored was something else. */
  readonly undetected: number
}

const readAll = (store: CheckpointStore.Store, name: string) =>
  Effect.gen(function* () {
    const { read, size } = yield* store.open(name)
    const bytes = new Uint8Array(size)
    yield* read(0, bytes)
    return bytes
  }).pipe(Effect.scoped)

/** The objects of the checkpoint, with their bytes. */
const objects = Effect.fnUntraced(function* (store: CheckpointStore.Store) {
  const names = (yield* store.list).filter((name) => name.startsWith("step-"))
  return yield* Effect.forEach(names, (name) => Effect.map(readAll(store, name), (bytes) => ({ name, bytes })))
})

const outcome = Effect.gen(function* () {
  const manager = yield* CheckpointManager.make({ items, readOnly: true })
  const { items: values } = yield* manager.restore()
  return Equal.equals(values, valuesAt(7)) ? ("harmless" as const) : ("undetected" as const)
}).pipe(
  Effect.catchTag("NoCheckpoint", ({ damaged }) =>
    Effect.succeed(damaged.length === 1 ? ("detected" as const) : ("undetected" as const))
  ),
  Effect.scoped
)

/** Flips so many bits, one at a time, anywhere in the files of a checkpoint. */
export const runFlips = (flips: number, seed: number): Promise<FlipReport> =>
  Effect.gen(function* () {
    const random = makeRandom(seed)
    const store = yield* CheckpointStore.CheckpointStore
    const manager = yield* CheckpointManager.make({ items, shardSize })
    yield* manager.save(7, valuesAt(7))
    yield* manager.flush
    const all = yield* objects(store)
    const report = { flips, detected: 0, harmless: 0, undetected: 0 }
    for (let flip = 0; flip < flips; flip++) {
      const { bytes, name } = pick(random, all) // small files as often as large ones
      const damaged = bytes.slice()
      const at = random(bytes.length)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << random(8))
      yield* store.put(name, Stream.make(damaged))
      report[yield* outcome] += 1
      yield* store.put(name, Stream.make(bytes))
    }
    return report
  }).pipe(Effect.scoped, Effect.provide([CheckpointStore.layerMemory, noTensors, Logger.layer([])]), Effect.runPromise)
