/** Checkpoints with other fields, and what is said about them. */
import { Checkpoint, CheckpointMismatch, InvalidCheckpoint } from "@optim/serialize"

/** The faults of an error: path, what was expected, what was found. */
export const faultsIn = (error: unknown): ReadonlyArray<ReadonlyArray<string>> => {
  if (error instanceof CheckpointMismatch || error instanceof InvalidCheckpoint)
    return error.faults.map(({ expected, found, path }) => [path, expected, found])
  throw error
}

/** The same checkpoint with other fields. */
export const changed = (
  { leaves, metadata, optimizer, step, subtreeDefs, transform, treeDef }: Checkpoint.Checkpoint,
  fields: Partial<Checkpoint.Checkpoint>
): Checkpoint.Checkpoint =>
  new Checkpoint.Checkpoint({ step, optimizer, metadata, treeDef, subtreeDefs, leaves, transform, ...fields })
