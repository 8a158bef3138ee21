/** Every store keeps the same laws: objects whole or not at all, names that stay inside. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, StoreError } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { IDBFactory, IDBKeyRange } from "fake-indexeddb"
import * as fc from "fast-check"
import { gathered, pieces, piecesOf } from "../src/internal/pieces.ts"
import { makeDirectory } from "./opfs.ts"
import { storeLaws } from "./storeLaws.ts"

globalThis.IDBKeyRange = IDBKeyRange

const temporary = Layer.unwrap(
  Effect.map(
    FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()),
    (directory) => CheckpointStore.layerFiles(`${directory}/runs/a`)
  )
).pipe(Layer.provide(NodeServices.layer))

const layers = {
  memory: CheckpointStore.layerMemory,
  files: temporary,
  "private file system": CheckpointStore.layerOpfs({ directory: async () => makeDirectory() }),
  database: Layer.unwrap(Effect.sync(() => CheckpointStore.layerIndexedDb({ factory: new IDBFactory() })))
}

const { CheckpointStore: Service } = CheckpointStore

const bytes = (...values: ReadonlyArray<number>) => Stream.make(Uint8Array.from(values))

describe("laws", () => {
  it("pieces are the same bytes in one size", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 })
    const property = fc.asyncProperty(chunks, fc.integer({ min: 1, max: 7 }), async (chunks, size) => {
      const streamed = await Effect.runPromise(Stream.runCollect(pieces(Stream.fromIterable(chunks), size)))
      const all = [...piecesOf(chunks, size)] // a piece stays as it is while others are made
      assert.deepStrictEqual(streamed, all)
      const flat = chunks.flatMap((chunk) => [...chunk])
      assert.deepStrictEqual(
        all.flatMap((piece) => [...piece]),
        flat
      )
      assert.ok(all.every((piece, index) => piece.length === Math.min(size, flat.length - index * size)))
    })
    return fc.assert(property)
  })

  it("what is gathered are the same bytes; long chunks are handed on as they are", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 })
    const property = fc.property(chunks, (chunks) => {
      const all = [...gathered(chunks, 16)]
      assert.deepStrictEqual(
        all.flatMap((piece) => [...piece]),
        chunks.flatMap((chunk) => [...chunk])
      )
      for (const chunk of chunks) assert.strictEqual(chunk.length >= 4, all.includes(chunk))
    })
    fc.assert(property)
  })
})

for (const [title, layer] of Object.entries(layers)) storeLaws(title, layer)

describe("cases", () => {
  it.live("files: links that lead out are refused, and removing one removes the link", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
      yield* fs.makeDirectory(`${directory}/outside`)
      yield* fs.writeFile(`${directory}/outside/secret`, Uint8Array.of(1))
      const store = yield* Effect.provide(Service, CheckpointStore.layerFiles(`${directory}/store`))
      yield* fs.symlink(`${directory}/outside`, `${directory}/store/link`)
      yield* fs.symlink(`${directory}/outside/secret`, `${directory}/store/file`)
      const failures = [
        yield* Effect.flip(store.put("link/x", bytes(2))),
        yield* Effect.flip(Effect.scoped(store.open("link/secret"))),
        yield* Effect.flip(Effect.scoped(store.open("file"))),
        yield* Effect.flip(store.remove("link/secret"))
      ]
      assert.deepStrictEqual(
        failures.map(({ reason }) => reason),
        ["Escapes", "Escapes", "Escapes", "Escapes"]
      )
      assert.deepStrictEqual(yield* store.list, [])
      yield* store.put("file", bytes(3)) // takes the place of the link
      yield* store.remove("link")
      assert.deepStrictEqual(yield* fs.readDirectory(`${directory}/outside`), ["secret"])
      assert.deepStrictEqual([...(yield* fs.readFile(`${directory}/outside/secret`))], [1])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("files: what a crash left aside is swept", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const store = yield* Effect.provide(Service, CheckpointStore.layerFiles(directory))
      yield* fs.makeDirectory(`${directory}/.aside`)
      yield* fs.writeFile(`${directory}/.aside/half`, Uint8Array.of(1))
      assert.deepStrictEqual(yield* store.list, [])
      yield* store.sweep
      assert.deepStrictEqual(yield* fs.readDirectory(directory), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("where a browser has no storage, that is what the error says", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(Service, CheckpointStore.layerBrowser))
      assert.strictEqual(
        error.message,
        [
          "CheckpointStore.open: Unsupported",
          '  "optim-checkpoints"   there is no indexedDB',
          "Use another store here: CheckpointStore.layerBrowser picks one that works."
        ].join("\n")
      )
    })
  )

  it.live("only what may pass is tried again", () =>
    Effect.gen(function* () {
      const store = yield* Service
      const tries = Effect.fnUntraced(function* (reason: StoreError["reason"], successAt: number) {
        let count = 0
        const list = Effect.suspend(() =>
          ++count === successAt
            ? Effect.succeed(["x"])
            : Effect.fail(new StoreError({ operation: "list", name: "", reason, detail: "injected" }))
        )
        const exit = yield* Effect.exit(CheckpointStore.retrying({ ...store, list }, Schedule.recurs(3)).list)
        return [exit._tag, count]
      })
      assert.deepStrictEqual(yield* tries("Unknown", 3), ["Success", 3])
      assert.deepStrictEqual(yield* tries("TimedOut", 9), ["Failure", 4])
      for (const reason of ["NoSpace", "Denied", "NotFound", "Escapes", "InvalidName", "Truncated"] as const) {
        assert.deepStrictEqual(yield* tries(reason, 2), ["Failure", 1])
      }
    }).pipe(Effect.provide(CheckpointStore.layerMemory))
  )
})
