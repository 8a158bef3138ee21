/**
 * Plain code that throws typed errors, as an effect that fails with them. Everything else it throws is a defect.
 */
import { type BackendLost, InvalidLeaf, type OptimError } from "@optim/core/OptimError"
import { CyclicTree, InvalidNode } from "@optim/pytree"
import * as Effect from "effect/Effect"
import {
  CheckpointMismatch,
  InvalidCheckpoint,
  InvalidEntry,
  InvalidSafetensors,
  UnencodableCheckpoint
} from "../SerializeError.ts"

const attempt =
  <E>(isFailure: (error: unknown) => error is E) =>
  <A>(evaluate: () => A): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(evaluate())
      } catch (error) {
        return isFailure(error) ? Effect.fail(error) : Effect.die(error)
      }
    })

/** What can be wrong with what is read. */
export type ReadError = InvalidSafetensors | InvalidCheckpoint

/** What can be wrong with what is written, and with where it is read from. */
export type WriteError = UnencodableCheckpoint | InvalidEntry | BackendLost

/** Reads. */
export const reading = attempt(
  (error): error is ReadError => error instanceof InvalidSafetensors || error instanceof InvalidCheckpoint
)

/** Writes. */
export const writing = attempt(
  (error): error is WriteError => error instanceof UnencodableCheckpoint || error instanceof InvalidEntry
)

/** Asks an optimizer something; it throws no tagged errors but its own. */
export const asking = attempt((error): error is OptimError => error instanceof Error && "_tag" in error)

/** What can be wrong with a tree of parameters. */
export type TreeFault = CyclicTree | InvalidNode | InvalidLeaf

const isTreeFault = (error: unknown): error is TreeFault =>
  error instanceof CyclicTree || error instanceof InvalidNode || error instanceof InvalidLeaf

/** Takes a tree apart. */
export const flattening = attempt(isTreeFault)

/** Reads into a tree that is given. */
export const readingInto = attempt(
  (error): error is ReadError | TreeFault | CheckpointMismatch =>
    error instanceof InvalidSafetensors ||
    error instanceof InvalidCheckpoint ||
    error instanceof CheckpointMismatch ||
    isTreeFault(error)
)

const inFileOf = (error: unknown, file: string): unknown => {
  if (error instanceof InvalidSafetensors) {
    const { expected, fault, found, offset, tensor } = error
    return new InvalidSafetensors({ fault, offset, expected, found, file, ...(tensor === undefined ? {} : { tensor }) })
  }
  if (error instanceof InvalidCheckpoint) {
    return new InvalidCheckpoint({ operation: error.operation, faults: error.faults, file })
  }
  if (!(error instanceof CheckpointMismatch)) return error
  return new CheckpointMismatch({ operation: error.operation, faults: error.faults, file })
}

/** Says in what is wrong with a file which one it is. */
export const inFile =
  (file: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.mapError(effect, (error) => inFileOf(error, file) as E) // an error stays of its class
