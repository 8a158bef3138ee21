/**
 * Files that are written: looked at before the work begins, so that nobody trains for nothing.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { platformReason } from "./failure.ts"

/** A file that cannot be written. */
export class UnwritableFile extends Schema.TaggedError<UnwritableFile>()("UnwritableFile", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot write ${this.path}: ${this.reason}`
  }
}

const isDirectory = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.match(fs.stat(path), {
    onSuccess: ({ type }) => type === "Directory",
    onFailure: () => false
  })
})

/** Fails unless there is a directory for the file, in which it may be written. */
export const ensureWritable = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<void, UnwritableFile, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const directory = (yield* Path.Path).dirname(path)
  const refuse = (reason: string) => new UnwritableFile({ path, reason })
  if (!(yield* isDirectory(directory))) return yield* refuse(`${directory} is not a directory`)
  if (yield* isDirectory(path)) return yield* refuse("it is a directory")
  yield* Effect.mapError(fs.access(directory, { writable: true }), (error) => refuse(platformReason(error)))
})

/** Writes a text. */
export const write = Effect.fnUntraced(function* (
  path: string,
  text: string
): Effect.fn.Return<void, UnwritableFile, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const refuse = (error: Parameters<typeof platformReason>[0]) =>
    new UnwritableFile({ path, reason: platformReason(error) })
  yield* Effect.mapError(fs.writeFileString(path, text), refuse)
})
