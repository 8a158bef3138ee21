/** Cases: a file that is synced while it is still written loses no failure, and is not closed too early. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { CheckpointStore } from "@optim/serialize"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { type PlatformError, systemError } from "effect/PlatformError"
import * as Stream from "effect/Stream"

const block = new Uint8Array(32 << 20)

const blocks = (count: number) => Stream.take(Stream.forever(Stream.make(block)), count)

const fault = Effect.fail(systemError({ _tag: "Unknown", module: "FileSystem", method: "sync", description: "EIO" }))

type Sync = Effect.Effect<void, PlatformError>

/** What happens to the file that a store writes to; nothing reaches the disk. `syncs` are its syncs, one by one. */
const recorded = (syncs: ReadonlyArray<Sync>) => {
  const log: Array<string> = []
  const note = (what: string) => Effect.sync(() => void log.push(what))
  let count = 0
  const sync: Sync = Effect.suspend(() => {
    const index = ++count
    return Effect.andThen(note(`sync ${index}`), syncs[index - 1] ?? Effect.void).pipe(
      Effect.ensuring(note(`synced ${index}`))
    )
  })
  const writeAll = () => Effect.andThen(note("write"), Effect.yieldNow) // as the disk lets others have their turn
  const layer = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real) => {
      const open: FileSystem.FileSystem["open"] = (path, options) =>
        options?.flag === "wx"
          ? Effect.acquireRelease(real.open(path, options), () => note("close")).pipe(
              Effect.map((file): FileSystem.File =>
                Object.create(file, { sync: { value: sync }, writeAll: { value: writeAll } })
              )
            )
          : real.open(path, options)
      return { ...real, open }
    })
  ).pipe(Layer.provide(NodeServices.layer))
  return { layer, log }
}

const stored = (layer: Layer.Layer<FileSystem.FileSystem>, count: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const files = CheckpointStore.layerFiles(directory)
    const put = CheckpointStore.CheckpointStore.use((store) => store.put("x", blocks(count)))
    const exit = yield* Effect.exit(Effect.provide(put, files))
    const left = yield* fs.readDirectory(directory, { recursive: true })
    return [exit._tag, left.toSorted()] as const
  }).pipe(Effect.scoped, Effect.provide(layer))

it.live("a small file is synced once, at its end", () =>
  Effect.gen(function* () {
    const { layer, log } = recorded([])
    assert.deepStrictEqual(yield* stored(layer, 1), ["Success", [".aside", "x"]])
    assert.deepStrictEqual(log, ["write", "sync 1", "synced 1", "close"])
  })
)

it.live("one sync runs at a time beside the writing, the last one when all is written", () =>
  Effect.gen(function* () {
    const { layer, log } = recorded([Effect.sleep("50 millis")])
    assert.deepStrictEqual(yield* stored(layer, 6), ["Success", [".aside", "x"]])
    assert.deepStrictEqual(
      log.filter((what) => what !== "write"),
      ["sync 1", "synced 1", "sync 2", "synced 2", "close"]
    )
    assert.strictEqual(log.lastIndexOf("write") < log.indexOf("synced 1"), true) // it did not wait
  })
)

it.live("what a sync ahead fails with fails the whole, wherever it is noticed", () =>
  Effect.gen(function* () {
    const cases = [
      { count: 2, syncs: [fault] }, // at the end
      { count: 2, syncs: [Effect.andThen(Effect.sleep("20 millis"), fault)] }, // waited for
      { count: 4, syncs: [fault] }, // before the next one
      { count: 4, syncs: [Effect.void, fault] },
      { count: 1, syncs: [fault] } // the only one
    ]
    for (const { count, syncs } of cases) {
      const { layer, log } = recorded(syncs)
      assert.deepStrictEqual(yield* stored(layer, count), ["Failure", [".aside"]])
      assert.strictEqual(log.at(-1), "close")
    }
  })
)

it.live("a put that is interrupted, or whose content fails, waits for the sync before it closes the file", () =>
  Effect.gen(function* () {
    for (const end of ["interrupted", "failed"] as const) {
      const syncing = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const slow = Effect.andThen(Deferred.succeed(syncing, undefined), Deferred.await(gate))
      const { layer, log } = recorded([slow])
      yield* Effect.gen(function* () {
        const directory = yield* FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())
        const rest = end === "failed" ? Stream.fail("no more") : Stream.never
        const put = CheckpointStore.CheckpointStore.use((store) => store.put("x", Stream.concat(blocks(2), rest)))
        const fiber = yield* Effect.forkChild(Effect.provide(put, CheckpointStore.layerFiles(directory)))
        yield* Deferred.await(syncing)
        const stopped = yield* Effect.forkChild(end === "failed" ? Fiber.await(fiber) : Fiber.interrupt(fiber))
        yield* Effect.sleep("20 millis")
        assert.deepStrictEqual(log, ["write", "write", "sync 1"])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(stopped)
        assert.deepStrictEqual(log, ["write", "write", "sync 1", "synced 1", "close"])
      }).pipe(Effect.scoped, Effect.provide(layer))
    }
  })
)
