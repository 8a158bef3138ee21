/**
 * Errors of the platform as errors of a store.
 */
import * as Effect from "effect/Effect"
import { PlatformError } from "effect/PlatformError"
import { hasProperty } from "effect/Predicate"
import type { StoreError, StoreReason } from "../../SerializeError.ts"
import { storeError } from "./names.ts"

/** What the codes of system calls mean that effect's tags do not tell apart. */
const byCode: Readonly<Record<string, StoreReason>> = {
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  EFBIG: "NoSpace",
  EROFS: "Denied",
  ELOOP: "Escapes",
  ENOTDIR: "NotFound",
  EAGAIN: "Busy",
  ETIMEDOUT: "TimedOut"
}

const byTag: Readonly<Record<string, StoreReason>> = {
  AlreadyExists: "AlreadyExists",
  Busy: "Busy",
  NotFound: "NotFound",
  PermissionDenied: "Denied",
  TimedOut: "TimedOut",
  UnexpectedEof: "Truncated",
  WouldBlock: "Busy",
  WriteZero: "NoSpace"
}

const codeOf = (cause: unknown): string =>
  hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : ""

const reasonOf = ({ cause, reason }: PlatformError): StoreReason =>
  byCode[codeOf(cause)] ?? byTag[reason._tag] ?? "Unknown"

/** What an effect fails with, where it is the platform's, as an error of the store. */
export const fromPlatform =
  (operation: string, name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StoreError | Exclude<E, PlatformError>, R> =>
    Effect.mapError(
      effect,
      (error) =>
        error instanceof PlatformError
          ? storeError(operation, name, reasonOf(error), error.message, error)
          : (error as Exclude<E, PlatformError>) // all that is left
    )
