/**
 * Makes the names in a directory durable.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"

/** Some systems open no directories, or do not sync them; theirs are as durable as they make them. */
const isUnsupported = ({ reason: { _tag } }: PlatformError): boolean =>
  _tag === "PermissionDenied" || _tag === "BadResource" || _tag === "BadArgument"

/** Syncs a directory, where the system can. */
export const syncDirectory = (fs: FileSystem.FileSystem, path: string): Effect.Effect<void, PlatformError> =>
  Effect.scoped(Effect.flatMap(fs.open(path), (directory) => directory.sync)).pipe(
    Effect.uninterruptible,
    Effect.catchIf(isUnsupported, () => Effect.void)
  )
