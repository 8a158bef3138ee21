/**
 * Checkpoints of a run: the state of its optimizer, its step, and what a resumed run must agree with.
 *
 * The recipe and a fingerprint of the training rows go along as metadata. With them, the step tells which rows come
 * next, so that a run that was stopped and resumed makes the very numbers of one that was not.
 */
import { Checkpoint, type CheckpointMismatch } from "@optim/serialize"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { UnwritableFile } from "./files.ts"
import { platformReason } from "./failure.ts"
import type { Params } from "./model.ts"
import type { AnyOptimizer } from "./optimizers.ts"
import { Recipe } from "./recipe.ts"

/** What a run is made of: its recipe, and the fingerprint of its training rows. */
const Origin = Schema.Struct({ recipe: Schema.fromJsonString(Recipe), rows: Schema.String })

export type Origin = typeof Origin.Type

const toMetadata = Schema.encodeSync(Origin)

const fromMetadata = Schema.decodeUnknownEffect(Origin)

/** A checkpoint that was read, not yet put into tensors. */
export interface Saved extends Origin {
  readonly path: string
  readonly checkpoint: Checkpoint.Checkpoint
}

/** A file that no run can go on from. */
export class UnusableCheckpoint extends Schema.TaggedError<UnusableCheckpoint>()("UnusableCheckpoint", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot resume from ${this.path}: ${this.reason}`
  }
}

const reasonOf = (error: Checkpoint.ReadError | CheckpointMismatch | PlatformError): string => {
  switch (error._tag) {
    case "PlatformError":
      return platformReason(error)
    case "InvalidSafetensors":
      return "it is not a checkpoint, or it is damaged"
    default:
      return error.faults.map(({ expected, found, path }) => `${path}: expected ${expected}, found ${found}`).join("; ")
  }
}

/** Reads a checkpoint of this program. */
export const read = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Saved, UnusableCheckpoint, FileSystem.FileSystem> {
  const refuse = (reason: string) => new UnusableCheckpoint({ path, reason })
  const checkpoint = yield* Effect.mapError(Checkpoint.read(path), (error) => refuse(reasonOf(error)))
  const foreign = () => refuse("it was not written by this program")
  return { path, checkpoint, ...(yield* Effect.mapError(fromMetadata(checkpoint.metadata), foreign)) }
})

/** Puts a checkpoint into tensors, as the state with which a run goes on. */
export const restore = Effect.fnUntraced(function* (
  { checkpoint, path, ...saved }: Saved,
  { optimizer, params, rows }: { readonly optimizer: AnyOptimizer; readonly params: Params; readonly rows: string }
) {
  if (rows !== saved.rows) return yield* new UnusableCheckpoint({ path, reason: "it was trained on other rows" })
  return yield* Checkpoint.restore(checkpoint, { optimizer, params }).pipe(
    Effect.catchTag("CheckpointMismatch", (error) => new UnusableCheckpoint({ path, reason: reasonOf(error) }))
  )
})

/** Saves a run. */
export const save = Effect.fnUntraced(function* (path: string, run: Checkpoint.Run<Params, unknown>, origin: Origin) {
  yield* Checkpoint.save(path, { ...run, metadata: toMetadata(origin) }).pipe(
    Effect.catchTag("PlatformError", (error) => new UnwritableFile({ path, reason: platformReason(error) }))
  )
})
