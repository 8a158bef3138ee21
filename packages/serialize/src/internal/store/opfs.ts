/**
 * A store in a browser's origin private file system.
 *
 * What is written to a file becomes visible when the writer is closed, all of it at once; a page that goes away before
 * leaves the former file. Who puts only if there is nothing yet holds a lock of the origin meanwhile.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Reader, Store } from "../../CheckpointStore.ts"
import type { StoreError } from "../../SerializeError.ts"
import { awaiting } from "./dom.ts"
import { checkName, checkRange, storeError } from "./names.ts"

type Directory = FileSystemDirectoryHandle

const defaultName = "optim-checkpoints"

const unsupported = (detail: string): StoreError => storeError("open", defaultName, "Unsupported", detail)

const canWrite = (): boolean =>
  typeof FileSystemFileHandle === "function" && "createWritable" in FileSystemFileHandle.prototype

const ownDirectory = (): Effect.Effect<Directory, StoreError> => {
  const storage = typeof navigator === "undefined" ? undefined : navigator.storage
  if (typeof storage?.getDirectory !== "function" || !canWrite()) {
    return Effect.fail(unsupported("there is no private file system that can be written"))
  }
  return awaiting("open", defaultName, async () =>
    (await storage.getDirectory()).getDirectoryHandle(defaultName, { create: true })
  )
}

/** A name's directories, and its last part. */
const split = (name: string): readonly [ReadonlyArray<string>, string] => {
  const parts = name.split("/")
  return [parts.slice(0, -1), parts.at(-1) ?? ""]
}

const descend = async (root: Directory, names: ReadonlyArray<string>, create: boolean): Promise<Directory> => {
  const [first, ...rest] = names
  return first === undefined ? root : descend(await root.getDirectoryHandle(first, { create }), rest, create)
}

const isMissing = (cause: unknown): boolean => cause instanceof Error && cause.name === "NotFoundError"

const exists = async (root: Directory, name: string): Promise<boolean> => {
  const [directories, last] = split(name)
  try {
    await (await descend(root, directories, false)).getFileHandle(last)
    return true
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
}

const writable = async (root: Directory, name: string): Promise<FileSystemWritableFileStream> => {
  const [directories, last] = split(name)
  const file = await (await descend(root, directories, true)).getFileHandle(last, { create: true })
  return file.createWritable()
}

const removeFile = async (root: Directory, name: string): Promise<void> => {
  const [directories, last] = split(name)
  try {
    await (await descend(root, directories, false)).removeEntry(last, { recursive: true })
  } catch (cause) {
    if (!isMissing(cause)) throw cause
  }
}

/** A file that was not there before and got no contents is removed; what was there before is as it was. */
const write = <E, R>(root: Directory, name: string, content: Stream.Stream<Uint8Array, E, R>) =>
  Effect.gen(function* () {
    const isNew = !(yield* awaiting("put", name, () => exists(root, name)))
    const undone = isNew ? Effect.ignore(awaiting("put", name, () => removeFile(root, name))) : Effect.void
    const written = Effect.acquireUseRelease(
      awaiting("put", name, () => writable(root, name)),
      (file) =>
        Stream.runForEach(content, (chunk) => awaiting("put", name, () => file.write(chunk.slice()))).pipe(
          Effect.andThen(Effect.uninterruptible(awaiting("put", name, () => file.close())))
        ),
      (file, exit) => (exit._tag === "Success" ? Effect.void : Effect.ignore(awaiting("put", name, () => file.abort())))
    )
    yield* Effect.onError(written, () => undone)
  })

/** Runs an effect while nobody else of this origin runs one for the same name, where there are locks. */
const locked = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks
  if (locks === undefined) return effect
  const lock = Effect.callback<() => void>((resume) => {
    void locks.request(`${defaultName}/${name}`, () => new Promise<void>((release) => resume(Effect.succeed(release))))
  })
  return Effect.acquireUseRelease(
    lock,
    () => effect,
    (release) => Effect.sync(release)
  )
}

const writeIfAbsent = <E, R>(root: Directory, name: string, content: Stream.Stream<Uint8Array, E, R>) =>
  locked(
    name,
    Effect.gen(function* () {
      if (yield* awaiting("put", name, () => exists(root, name))) {
        return yield* storeError("put", name, "AlreadyExists", "expected no object of that name")
      }
      return yield* write(root, name, content)
    })
  )

const readerOf = (name: string, file: File): Reader => ({
  size: file.size,
  read: (offset, into) =>
    checkRange(name, file.size, offset + into.length).pipe(
      Effect.andThen(awaiting("open", name, () => file.slice(offset, offset + into.length).arrayBuffer())),
      Effect.map((buffer) => into.set(new Uint8Array(buffer)))
    )
})

const open = (root: Directory, name: string) =>
  awaiting("open", name, async () => {
    const [directories, last] = split(name)
    const handle = await (await descend(root, directories, false)).getFileHandle(last)
    return readerOf(name, await handle.getFile())
  })

const walk = async (directory: Directory, prefix: string): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  for await (const [name, handle] of directory.entries()) {
    if (handle.kind === "file") names.push(`${prefix}${name}`)
    else names.push(...(await walk(await directory.getDirectoryHandle(name), `${prefix}${name}/`)))
  }
  return names
}

/** The store of a directory. */
export const make = (directory?: () => Promise<Directory>): Effect.Effect<Store, StoreError> =>
  Effect.map(directory === undefined ? ownDirectory() : awaiting("open", defaultName, directory), (root) => ({
    location: `origin private file system, ${root.name}`,
    put: (name, content, { ifAbsent = false } = {}) =>
      Effect.andThen(
        checkName("put", name),
        ifAbsent ? writeIfAbsent(root, name, content) : write(root, name, content)
      ),
    open: (name) => Effect.andThen(checkName("open", name), open(root, name)),
    list: awaiting("list", "", () => walk(root, "")),
    remove: (name) =>
      Effect.andThen(
        checkName("remove", name),
        awaiting("remove", name, () => removeFile(root, name))
      ),
    sweep: Effect.void // the browser removes what was not closed
  }))
