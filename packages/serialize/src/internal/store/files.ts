/**
 * A store in a directory.
 *
 * An object is written to a new file in `.aside`, synced and renamed, which is one step for the file system; then the
 * directories on its way are synced, so that the new name survives a loss of power. Paths are resolved before they are
 * used: a symbolic link on the way that leads elsewhere is refused.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Reader, Store } from "../../CheckpointStore.ts"
import { syncDirectory } from "../syncDirectory.ts"
import type { StoreError } from "../../SerializeError.ts"
import { fromPlatform } from "./platform.ts"
import { SyncAhead } from "./syncAhead.ts"
import { checkName, checkRange, storeError } from "./names.ts"

const asideName = ".aside"

interface Place {
  readonly fs: FileSystem.FileSystem
  /** The directory, absolute and without symbolic links. */
  readonly root: string
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** Fails with `Escapes` unless the path leads where it says, without links. */
const checkReal = Effect.fnUntraced(function* ({ fs }: Place, operation: string, name: string, path: string) {
  const real = (yield* fs.realPath(path)).replaceAll("\\", "/")
  if (real !== path) return yield* storeError(operation, name, "Escapes", `it leads to ${real}`)
})

const writeAll = <E, R>(file: FileSystem.File, content: Stream.Stream<Uint8Array, E, R>) => {
  const sync = new SyncAhead(file)
  return Stream.runForEach(content, (chunk) =>
    Effect.uninterruptible(Effect.andThen(file.writeAll(chunk), sync.written(chunk.length)))
  ).pipe(Effect.andThen(Effect.uninterruptible(sync.end)), Effect.ensuring(sync.settled))
}

/** Writes a new file; one that cannot be finished is removed. */
const writeNew = <E, R>({ fs }: Place, path: string, content: Stream.Stream<Uint8Array, E, R>) => {
  let ours = false
  const opened = Effect.tap(fs.open(path, { flag: "wx" }), () => Effect.sync(() => void (ours = true)))
  const cleaned = Effect.suspend(() => (ours ? Effect.ignore(fs.remove(path, { force: true })) : Effect.void))
  return Effect.scoped(Effect.flatMap(Effect.uninterruptible(opened), (file) => writeAll(file, content))).pipe(
    Effect.onError(() => cleaned)
  )
}

/** The directories from a path's own up to the root. */
const upwards = ({ root }: Place, path: string): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (let at = parentOf(path); at.length >= root.length; at = parentOf(at)) directories.push(at)
  return directories
}

/** Makes the directories of a path below the root, but not the root: if that is gone, so are the checkpoints. */
const makeDirectories = (place: Place, path: string) =>
  Effect.forEach(
    upwards(place, path).slice(0, -1).toReversed(),
    (directory) =>
      Effect.catchIf(
        place.fs.makeDirectory(directory),
        ({ reason: { _tag } }) => _tag === "AlreadyExists",
        () => Effect.void
      ),
    { discard: true }
  )

const syncUpwards = (place: Place, path: string) =>
  Effect.forEach(upwards(place, path), (directory) => syncDirectory(place.fs, directory), { discard: true })

const replace = Effect.fnUntraced(function* <E, R>(
  place: Place,
  path: string,
  content: Stream.Stream<Uint8Array, E, R>
) {
  const { fs, root } = place
  const aside = `${root}/${asideName}/${globalThis.crypto.randomUUID()}`
  yield* makeDirectories(place, aside)
  yield* writeNew(place, aside, content)
  yield* Effect.uninterruptible(fs.rename(aside, path)).pipe(
    Effect.onError(() => Effect.ignore(fs.remove(aside, { force: true })))
  )
})

const put =
  (place: Place): Store["put"] =>
  (name, content, { ifAbsent = false } = {}) =>
    Effect.gen(function* () {
      yield* checkName("put", name)
      const path = `${place.root}/${name}`
      yield* makeDirectories(place, path)
      yield* checkReal(place, "put", name, parentOf(path))
      yield* ifAbsent ? writeNew(place, path, content) : replace(place, path, content)
      yield* syncUpwards(place, path)
    }).pipe(fromPlatform("put", name))

const fill = Effect.fnUntraced(function* (name: string, file: FileSystem.File, offset: number, into: Uint8Array) {
  for (let at = 0; at < into.length;) {
    const count = yield* file.read(into.subarray(at), { position: BigInt(offset + at) })
    if (count === 0) return yield* checkRange(name, offset + at, offset + into.length)
    at += count
  }
})

const open =
  (place: Place): Store["open"] =>
  (name) =>
    Effect.gen(function* () {
      yield* checkName("open", name)
      const path = `${place.root}/${name}`
      yield* checkReal(place, "open", name, path)
      const file = yield* place.fs.open(path)
      const info = yield* file.stat
      if (info.type !== "File") return yield* storeError("open", name, "NotFound", `it is a ${info.type}`)
      const read: Reader["read"] = (offset, into) =>
        fill(name, file, offset, into).pipe(fromPlatform("open", name), Effect.uninterruptible)
      return { size: Number(info.size), read }
    }).pipe(fromPlatform("open", name))

const walk = ({ fs, root }: Place, prefix: string): Effect.Effect<ReadonlyArray<string>, PlatformError> =>
  Effect.flatMap(fs.readDirectoryEntries(`${root}/${prefix}`), (entries) =>
    Effect.map(
      Effect.forEach(
        entries.filter(({ name }) => !name.startsWith(".")),
        ({ name, type }) => {
          if (type === "Directory") return walk({ fs, root }, `${prefix}${name}/`)
          return Effect.succeed(type === "File" ? [`${prefix}${name}`] : [])
        }
      ),
      (names) => names.flat()
    )
  )

const remove =
  (place: Place): Store["remove"] =>
  (name) =>
    Effect.gen(function* () {
      yield* checkName("remove", name)
      const path = `${place.root}/${name}`
      if (!(yield* place.fs.exists(parentOf(path)))) return
      yield* checkReal(place, "remove", name, parentOf(path))
      yield* place.fs.remove(path, { recursive: true, force: true })
      yield* syncDirectory(place.fs, parentOf(path))
    }).pipe(fromPlatform("remove", name))

/** The store of a directory, which is made. */
export const make = Effect.fnUntraced(
  function* (directory: string): Effect.fn.Return<Store, StoreError | PlatformError, FileSystem.FileSystem> {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(directory, { recursive: true })
    const root = (yield* fs.realPath(directory)).replaceAll("\\", "/")
    const place = { fs, root }
    return {
      location: root,
      put: put(place),
      open: open(place),
      list: walk(place, "").pipe(fromPlatform("list", "")),
      remove: remove(place),
      sweep: fs.remove(`${root}/${asideName}`, { recursive: true, force: true }).pipe(fromPlatform("sweep", asideName))
    }
  },
  (effect, directory) => fromPlatform("open", directory)(effect)
)
