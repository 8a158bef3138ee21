/**
 * A store in a database of the browser.
 *
 * An object is a record `{ id, size }` under its name and chunks of 4 MB under `[id, 0]`, `[id, 1]`, …: so it is written
 * and read in parts, and becomes visible with the one transaction that writes its record, which also removes the chunks
 * of the object that it replaces.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Reader, Store } from "../../CheckpointStore.ts"
import type { StoreError } from "../../SerializeError.ts"
import { pieces } from "../pieces.ts"
import { fromDom } from "./dom.ts"
import { checkName, checkRange, storeError } from "./names.ts"

const chunkSize = 4 << 20

interface Row {
  readonly id: string
  readonly size: number
}

const rows = "objects"

const chunks = "chunks"

/** All chunks of an object. */
const chunksOf = (id: string): IDBKeyRange => IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER])

/** All names below one: '0' follows '/' among characters. */
const below = (name: string): IDBKeyRange => IDBKeyRange.bound(`${name}/`, `${name}0`, false, true)

const asError = (error: DOMException | null): Error => error ?? new Error("the database gave up")

const answer = <A>(request: IDBRequest<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result))
    request.addEventListener("error", () => reject(asError(request.error)))
  })

const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve())
    transaction.addEventListener("abort", () => reject(asError(transaction.error)))
  })

class Database {
  readonly #db: IDBDatabase
  constructor(db: IDBDatabase) {
    this.#db = db
  }

  get name(): string {
    return this.#db.name
  }

  close(): void {
    this.#db.close()
  }

  read<A>(operation: string, name: string, ask: (row: IDBObjectStore, chunk: IDBObjectStore) => IDBRequest<A>) {
    return this.#attempt(operation, name, () => {
      const transaction = this.#db.transaction([rows, chunks], "readonly")
      return answer(ask(transaction.objectStore(rows), transaction.objectStore(chunks)))
    })
  }

  /** All that `change` asks for, or nothing. It may ask for more in the handlers of what it asked for. */
  write(operation: string, name: string, change: (row: IDBObjectStore, chunk: IDBObjectStore) => void) {
    return Effect.uninterruptible(
      this.#attempt(operation, name, () => {
        const transaction = this.#db.transaction([rows, chunks], "readwrite", { durability: "strict" })
        change(transaction.objectStore(rows), transaction.objectStore(chunks))
        return completed(transaction)
      })
    )
  }

  #attempt<A>(operation: string, name: string, run: () => Promise<A>): Effect.Effect<A, StoreError> {
    return Effect.tryPromise({ try: run, catch: (cause) => fromDom(operation, name, cause) })
  }
}

const schema = (db: IDBDatabase): void => {
  db.createObjectStore(rows)
  db.createObjectStore(chunks)
}

const openDatabase = (
  name: string,
  factory: IDBFactory | undefined
): Effect.Effect<Database, StoreError, Scope.Scope> => {
  if (factory === undefined) {
    return Effect.fail(storeError("open", name, "Unsupported", "there is no indexedDB"))
  }
  const opened = Effect.tryPromise({
    try: () => {
      const request = factory.open(name, 1)
      request.addEventListener("upgradeneeded", () => schema(request.result))
      return answer(request)
    },
    catch: (cause) => fromDom("open", name, cause)
  })
  return Effect.acquireRelease(
    Effect.map(opened, (db) => new Database(db)),
    (db) => Effect.sync(() => db.close())
  )
}

/** Makes the chunks of `id` the object of that name, in the place of what was there. */
const publish = (db: Database, name: string, row: Row, ifAbsent: boolean) =>
  db.write("put", name, (objects, contents) => {
    if (ifAbsent) {
      objects.add(row, name)
      return
    }
    const former = objects.get(name)
    former.addEventListener("success", () => {
      const { id } = (former.result ?? {}) as Partial<Row> // only rows are stored there
      if (id !== undefined) contents.delete(chunksOf(id))
      objects.put(row, name)
    })
  })

const put = Effect.fnUntraced(function* <E, R>(
  db: Database,
  name: string,
  content: Stream.Stream<Uint8Array, E, R>,
  ifAbsent: boolean
) {
  const id = globalThis.crypto.randomUUID()
  const undone = db.write("put", name, (_, contents) => void contents.delete(chunksOf(id)))
  const written = Effect.gen(function* () {
    let index = 0
    let size = 0
    yield* Stream.runForEach(pieces(content, chunkSize), (piece) => {
      size += piece.length
      const data = piece.slice()
      return db.write("put", name, (_, contents) => void contents.put(data, [id, index++]))
    })
    yield* publish(db, name, { id, size }, ifAbsent)
  })
  yield* Effect.onError(written, () => Effect.ignore(undone))
})

const readerOf = (db: Database, name: string, { id, size }: Row): Reader => {
  let cached: { readonly index: number; readonly data: Uint8Array } | undefined
  const chunk = Effect.fnUntraced(function* (index: number) {
    if (cached?.index === index) return cached.data
    const data: unknown = yield* db.read(
      "open",
      name,
      (_, contents) => contents.get([id, index]) as IDBRequest<unknown>
    )
    if (!(data instanceof Uint8Array)) {
      return yield* storeError("open", name, "NotFound", `chunk ${index} of it is gone`)
    }
    cached = { index, data }
    return data
  })
  const read = Effect.fnUntraced(function* (offset: number, into: Uint8Array) {
    yield* checkRange(name, size, offset + into.length)
    for (let at = 0; at < into.length;) {
      const from = (offset + at) % chunkSize
      const part = (yield* chunk(Math.floor((offset + at) / chunkSize))).subarray(from, from + into.length - at)
      if (part.length === 0) return yield* checkRange(name, offset + at, offset + into.length)
      into.set(part, at)
      at += part.length
    }
  })
  return { size, read }
}

const open = Effect.fnUntraced(function* (db: Database, name: string) {
  const row = yield* db.read("open", name, (objects) => objects.get(name) as IDBRequest<Row | undefined>)
  if (row === undefined) return yield* storeError("open", name, "NotFound", "there is no object of that name")
  return readerOf(db, name, row)
})

/** Removes a row at a cursor, and its chunks. */
const removeAll = (objects: IDBObjectStore, contents: IDBObjectStore, query: IDBValidKey | IDBKeyRange): void => {
  const cursors = objects.openCursor(query)
  cursors.addEventListener("success", () => {
    const cursor = cursors.result
    if (cursor === null) return
    contents.delete(chunksOf((cursor.value as Row).id)) // only rows are stored there
    cursor.delete()
    cursor.continue()
  })
}

/** Removes the chunks of ids that no row names. */
const sweep = Effect.fnUntraced(function* (db: Database) {
  const known = new Set(
    (yield* db.read("sweep", "", (objects) => objects.getAll() as IDBRequest<Array<Row>>)).map(({ id }) => id)
  )
  const keys = yield* db.read("sweep", "", (_, contents) => contents.getAllKeys())
  const ids = keys.map((key) => (Array.isArray(key) && typeof key[0] === "string" ? key[0] : ""))
  const lost = new Set(ids.filter((id) => !known.has(id)))
  yield* db.write("sweep", "", (_, contents) => lost.forEach((id) => void contents.delete(chunksOf(id))))
})

/** The store of a database. */
export const make = Effect.fnUntraced(function* (
  database = "optim-checkpoints",
  factory: IDBFactory | undefined = globalThis.indexedDB
): Effect.fn.Return<Store, StoreError, Scope.Scope> {
  const db = yield* openDatabase(database, factory)
  return {
    location: `database ${db.name}`,
    put: (name, content, { ifAbsent = false } = {}) =>
      Effect.andThen(checkName("put", name), put(db, name, content, ifAbsent)),
    open: (name) => Effect.andThen(checkName("open", name), open(db, name)),
    list: db.read("list", "", (objects) => objects.getAllKeys() as IDBRequest<Array<string>>), // names are the keys
    remove: (name) =>
      Effect.andThen(
        checkName("remove", name),
        db.write("remove", name, (objects, contents) => {
          removeAll(objects, contents, name)
          removeAll(objects, contents, below(name))
        })
      ),
    sweep: sweep(db)
  }
})
