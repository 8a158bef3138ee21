/**
 * Where checkpoints are kept: named objects, each written whole or not at all.
 *
 * The service asks for little, so that it can be a directory, a browser's storage, memory, or an object store: objects are
 * put whole, read by range, listed and removed. Nothing is renamed and nothing is appended, and what is above lists only
 * once. `put` is atomic and durable: when it succeeds the object is there and synced, when it fails or is interrupted
 * the former object of that name, if any, is as it was.
 *
 * Names are parts between slashes, `step-50-0a1b2c3d/params.safetensors`; a name cannot leave the store.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { CheckpointStore } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* CheckpointStore.CheckpointStore
 *   yield* store.put("runs/a.bin", Stream.make(Uint8Array.of(1, 2), Uint8Array.of(3)))
 *   assert.deepStrictEqual(yield* store.list, ["runs/a.bin"])
 *   const part = new Uint8Array(2)
 *   yield* Effect.scoped(Effect.flatMap(store.open("runs/a.bin"), ({ read }) => read(1, part)))
 *   assert.deepStrictEqual(part, Uint8Array.of(2, 3))
 *   const error = yield* Effect.flip(store.put("../b.bin", Stream.empty))
 *   assert.strictEqual(error.reason, "InvalidName")
 * })
 * await Effect.runPromise(program.pipe(Effect.provide(CheckpointStore.layerMemory)))
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Files from "./internal/store/files.ts"
import * as IndexedDb from "./internal/store/indexedDb.ts"
import * as Memory from "./internal/store/memory.ts"
import * as Opfs from "./internal/store/opfs.ts"
import { StoreError } from "./SerializeError.ts"

/** An object that is open for reading. */
export interface Reader {
  /** Its length in bytes. */
  readonly size: number
  /** Fills `into` with the bytes from `offset` on. Fails with `Truncated` where there are not so many. */
  readonly read: (offset: number, into: Uint8Array) => Effect.Effect<void, StoreError>
}

/** How an object is put. */
export interface PutOptions {
  /** Fail with `AlreadyExists` if there is an object of that name; exactly one of several writers succeeds. Default false. */
  readonly ifAbsent?: boolean | undefined
}

/** What a store can do. */
export interface Store {
  /** Where it is, in words. */
  readonly location: string
  /**
   * Writes an object, whole and durably, or not at all. A chunk may be reused by its maker once the next one is asked for.
   */
  readonly put: <E, R>(
    name: string,
    content: Stream.Stream<Uint8Array, E, R>,
    options?: PutOptions
  ) => Effect.Effect<void, StoreError | E, R>
  /** Opens an object for reading by range. */
  readonly open: (name: string) => Effect.Effect<Reader, StoreError, Scope.Scope>
  /** The names of all objects, in no order. */
  readonly list: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Removes the object of that name, or all whose names continue it behind a slash; durably. Removes nothing gladly. */
  readonly remove: (name: string) => Effect.Effect<void, StoreError>
  /** Removes what puts that never ended have left behind. Only for the one who writes alone. */
  readonly sweep: Effect.Effect<void, StoreError>
}

/** The service: where checkpoints are kept. */
export class CheckpointStore extends Context.Service<CheckpointStore, Store>()("@optim/serialize/CheckpointStore") {}

/** A store in memory, empty at first: for tests. */
export const layerMemory: Layer.Layer<CheckpointStore> = Layer.sync(CheckpointStore, Memory.make)

/**
 * The files under a directory, which is made if it is not there.
 *
 * An object is written to a new file in `.aside`, synced, renamed to its place, and the directories on the way are synced.
 * Fails with `StoreError` where the directory cannot be made.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Stream from "effect/Stream"
 * import { CheckpointStore } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   const directory = yield* fs.makeTempDirectoryScoped()
 *   const put = CheckpointStore.CheckpointStore.use((store) => store.put("a/b.bin", Stream.make(Uint8Array.of(7))))
 *   yield* put.pipe(Effect.provide(CheckpointStore.layerFiles(`${directory}/runs`)))
 *   return yield* fs.readFile(`${directory}/runs/a/b.bin`)
 * })
 * const bytes = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepStrictEqual([...bytes], [7])
 * ```
 */
export const layerFiles = (directory: string): Layer.Layer<CheckpointStore, StoreError, FileSystem.FileSystem> =>
  Layer.effect(CheckpointStore, Files.make(directory))

/** The origin private file system of a browser. */
export interface OpfsOptions {
  /** The directory that the store may fill. Default: `optim-checkpoints` in the root of the origin. */
  readonly directory?: (() => Promise<FileSystemDirectoryHandle>) | undefined
}

/**
 * A directory of the browser's origin private file system. An object takes its place when its last byte is written.
 *
 * Fails with `Unsupported` where there is none, or where its files cannot be written outside of a worker.
 */
export const layerOpfs = (options?: OpfsOptions): Layer.Layer<CheckpointStore, StoreError> =>
  Layer.effect(CheckpointStore, Opfs.make(options?.directory))

/** A database of the browser. */
export interface IndexedDbOptions {
  /** The database that the store may fill. Default `optim-checkpoints`. */
  readonly database?: string | undefined
  /** Where databases are kept. Default: the `indexedDB` of the page. */
  readonly factory?: IDBFactory | undefined
}

/**
 * A database of the browser: objects are records of 4 MB each, which one transaction makes visible.
 *
 * Fails with `Unsupported` where there is no `indexedDB`.
 */
export const layerIndexedDb = (options?: IndexedDbOptions): Layer.Layer<CheckpointStore, StoreError> =>
  Layer.effect(CheckpointStore, IndexedDb.make(options?.database, options?.factory))

/** The origin private file system where the browser has one, else IndexedDB. */
export const layerBrowser: Layer.Layer<CheckpointStore, StoreError> = Layer.catchTag(
  layerOpfs(),
  "StoreError",
  (error) => (error.reason === "Unsupported" ? layerIndexedDb() : Layer.effect(CheckpointStore, Effect.fail(error)))
)

/**
 * How a store is tried again unless told otherwise: after 100, 200, 400, 800 and 1,600 ms.
 */
export const defaultRetry: Schedule.Schedule<unknown> = Schedule.exponential("100 millis").pipe(
  Schedule.upTo({ times: 5 })
)

const isTransient = (error: unknown): boolean => error instanceof StoreError && error.isTransient

/**
 * A store whose operations are tried again where they may succeed then (`Busy`, `TimedOut`, `Unknown`). A full disk or
 * a missing right is reported at once. An object that is put again is written from its first byte.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import { CheckpointStore, StoreError } from "@optim/serialize"
 *
 * let tries = 0
 * const busy = Effect.suspend(() => {
 *   tries += 1
 *   return Effect.fail(new StoreError({ operation: "list", name: "", reason: "Busy", detail: "somebody else lists" }))
 * })
 * const program = CheckpointStore.CheckpointStore.use((store) =>
 *   Effect.flip(CheckpointStore.retrying({ ...store, list: busy }, Schedule.recurs(2)).list)
 * )
 * const error = await Effect.runPromise(program.pipe(Effect.provide(CheckpointStore.layerMemory)))
 * assert.deepStrictEqual([error.reason, tries], ["Busy", 3])
 * ```
 */
export const retrying = (store: Store, schedule: Schedule.Schedule<unknown> = defaultRetry): Store => {
  const again = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.retry(effect, { schedule, while: isTransient })
  const reading = ({ read, size }: Reader): Reader => ({ size, read: (offset, into) => again(read(offset, into)) })
  return {
    location: store.location,
    put: (name, content, options) => again(store.put(name, content, options)),
    open: (name) => Effect.map(again(store.open(name)), reading),
    list: again(store.list),
    remove: (name) => again(store.remove(name)),
    sweep: again(store.sweep)
  }
}
