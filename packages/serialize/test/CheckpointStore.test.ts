/** Every store keeps the same laws: objects whole or not at all, names that stay inside. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, StoreError } from "@optim/serialize"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { IDBFactory, IDBKeyRange } from "fake-indexeddb"
import * as fc from "fast-check"
import { gathered, pieces, piecesOf } from "../src/internal/pieces.ts"
import { makeDirectory } from "./opfs.ts"

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

const readAll = (store: CheckpointStore.Store, name: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { read, size } = yield* store.open(name)
      const bytes = new Uint8Array(size)
      yield* read(0, bytes)
      return bytes
    })
  )

const sorted = (store: CheckpointStore.Store) => Effect.map(store.list, (names) => names.toSorted())

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

for (const [title, layer] of Object.entries(layers)) {
  const live = <A, E>(name: string, effect: (store: CheckpointStore.Store) => Effect.Effect<A, E>) =>
    it.live(name, () => Effect.provide(Service.use(effect), layer))

  describe(`laws of ${title}`, () => {
    live("what is put is read, whole and by range", (store) =>
      Effect.gen(function* () {
        const big = Uint8Array.from({ length: 9_000_001 }, (_, index) => (index * 31) >> 3)
        yield* store.put(
          "a/big.bin",
          Stream.make(big.subarray(0, 5), big.subarray(5, 8_000_000), big.subarray(8_000_000))
        )
        assert.deepStrictEqual(yield* readAll(store, "a/big.bin"), big)
        const { read, size } = yield* store.open("a/big.bin")
        assert.strictEqual(size, big.length)
        for (const [from, to] of [
          [0, 1],
          [4_194_300, 4_194_310],
          [8_999_000, 9_000_001],
          [9_000_001, 9_000_001]
        ] as const) {
          const part = new Uint8Array(to - from)
          yield* read(from, part)
          assert.deepStrictEqual(part, big.subarray(from, to))
        }
        const error = yield* Effect.flip(read(9_000_000, new Uint8Array(2)))
        assert.deepStrictEqual([error.reason, error.name], ["Truncated", "a/big.bin"])
      }).pipe(Effect.scoped)
    )

    live("an object is replaced, listed and removed; what is below a name goes with it", (store) =>
      Effect.gen(function* () {
        yield* store.put("a/x", bytes(1))
        yield* store.put("a/x", bytes(2, 3))
        yield* store.put("a/y", Stream.empty)
        yield* store.put("ab", bytes(4))
        assert.deepStrictEqual(yield* readAll(store, "a/x"), Uint8Array.of(2, 3))
        assert.deepStrictEqual(yield* readAll(store, "a/y"), new Uint8Array())
        assert.deepStrictEqual(yield* sorted(store), ["a/x", "a/y", "ab"])
        yield* store.remove("a")
        yield* store.remove("a")
        yield* store.remove("none/at/all")
        assert.deepStrictEqual(yield* sorted(store), ["ab"])
        assert.strictEqual((yield* Effect.flip(store.open("a/x").pipe(Effect.scoped))).reason, "NotFound")
      })
    )

    live("of those who put an object only if there is none, one succeeds", (store) =>
      Effect.gen(function* () {
        const put = (value: number) => Effect.exit(store.put("lease", bytes(value), { ifAbsent: true }))
        const exits = yield* Effect.forEach([1, 2, 3, 4], put, { concurrency: "unbounded" })
        assert.strictEqual(exits.filter((exit) => exit._tag === "Success").length, 1)
        const error = yield* Effect.flip(store.put("lease", bytes(5), { ifAbsent: true }))
        assert.strictEqual(error.reason, "AlreadyExists")
        assert.deepStrictEqual(
          [...(yield* readAll(store, "lease"))],
          [exits.findIndex((exit) => exit._tag === "Success") + 1]
        )
      })
    )

    live("a put that fails or is interrupted leaves what was there, and nothing else", (store) =>
      Effect.gen(function* () {
        const half = Stream.concat(Stream.make(new Uint8Array(5_000_000)), Stream.fail("stopped" as const))
        yield* store.put("kept", bytes(7))
        assert.strictEqual(yield* Effect.flip(store.put("kept", half)), "stopped")
        assert.strictEqual(yield* Effect.flip(store.put("new", half)), "stopped")
        const begun = yield* Deferred.make<void>()
        const stuck = Stream.concat(
          bytes(1),
          Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        )
        const fiber = yield* Effect.forkChild(store.put("kept", stuck))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* readAll(store, "kept"), Uint8Array.of(7))
        assert.deepStrictEqual(yield* store.list, ["kept"])
        yield* store.sweep
        assert.deepStrictEqual(yield* readAll(store, "kept"), Uint8Array.of(7))
      })
    )

    live("names stay inside", (store) =>
      Effect.gen(function* () {
        const names = [
          "",
          ".",
          "..",
          "../x",
          "a/../b",
          "/x",
          "a//b",
          "a/",
          ".aside/x",
          "a\\b",
          "c:x",
          "a\0b",
          "é",
          "a/b.",
          "x".repeat(300)
        ]
        for (const name of names) {
          for (const attempt of [store.put(name, bytes(1)), Effect.scoped(store.open(name)), store.remove(name)]) {
            assert.strictEqual((yield* Effect.flip(Effect.andThen(attempt, Effect.void))).reason, "InvalidName", name)
          }
        }
        assert.deepStrictEqual(yield* store.list, [])
      })
    )
  })
}

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
