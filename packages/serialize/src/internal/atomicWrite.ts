/**
 * Writes a file so that whoever looks at it sees the old contents or the new ones, never a part.
 *
 * The bytes go to a new name in the same directory, are synced to the disk, and the name is then changed, which is one
 * step for the file system. Whatever happens before that, the old file is untouched and the new name is removed. Each
 * write is finished before the file is closed: an interruption waits for it, and is heard between two writes.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"

const bufferSize = 1 << 20

/** The same bytes in pieces of `size`; a piece is valid until the next one is asked for. */
export function* batches(chunks: Iterable<Uint8Array>, size: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(size)
  let filled = 0
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(size - filled, chunk.length - at)
      buffer.set(chunk.subarray(at, at + count), filled)
      at += count
      filled += count
      if (filled < size) continue
      yield buffer
      filled = 0
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled)
}

const temporaryName = (path: string): string => `${path}.${globalThis.crypto.randomUUID()}.tmp`

const writeAll = Effect.fnUntraced(function* (file: FileSystem.File, chunks: Iterable<Uint8Array>) {
  for (const batch of batches(chunks, bufferSize)) yield* Effect.uninterruptible(file.writeAll(batch))
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
})
