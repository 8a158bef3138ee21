/**
 * Writes a file so that whoever looks at it sees the old contents or the new ones, never a part.
 *
 * The bytes go to a new name in the same directory, are synced to the disk, and the name is then changed, which is one
 * step for the file system; then the directory is synced, so that the change survives a loss of power. Whatever happens before that, the old file is untouched and the new name is removed. Each
 * write is finished before the file is closed: an interruption waits for it, and is heard between two writes.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { piecesOf } from "./pieces.ts"
import { syncDirectory } from "./syncDirectory.ts"

const pieceSize = 1 << 20

const directoryOf = (path: string): string => {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
  return end < 0 ? "." : path.slice(0, end + 1)
}

const temporaryName = (path: string): string => `${path}.${globalThis.crypto.randomUUID()}.tmp`

const writeAll = Effect.fnUntraced(function* (file: FileSystem.File, chunks: Iterable<Uint8Array>) {
  for (const piece of piecesOf(chunks, pieceSize)) yield* Effect.uninterruptible(file.writeAll(piece))
  yield* Effect.uninterruptible(file.sync)
})

/** Writes the chunks, one after the other, as the file at `path`. */
export const atomicWrite = Effect.fnUntraced(function* (
  path: string,
  chunks: Iterable<Uint8Array>
): Effect.fn.Return<void, PlatformError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const temporary = temporaryName(path)
  let ours = false
  const open = fs.open(temporary, { flag: "wx" }).pipe(
    Effect.tap(() => Effect.sync(() => void (ours = true))),
    Effect.uninterruptible
  )
  const written = Effect.scoped(Effect.flatMap(open, (file) => writeAll(file, chunks)))
  const renamed = Effect.uninterruptible(fs.rename(temporary, path))
  const cleaned = Effect.suspend(() => (ours ? Effect.ignore(fs.remove(temporary, { force: true })) : Effect.void))
  yield* written.pipe(
    Effect.andThen(renamed),
    Effect.onError(() => cleaned)
  )
  yield* syncDirectory(fs, directoryOf(path))
})
