/**
 * Promises and errors of a browser's storage as effects and errors of a store.
 */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { StoreError, type StoreReason } from "../../SerializeError.ts"
import { storeError } from "./names.ts"

/** What the names of a `DOMException` mean. */
const byName: Readonly<Record<string, StoreReason>> = {
  NotFoundError: "NotFound",
  TypeMismatchError: "NotFound",
  ConstraintError: "AlreadyExists",
  QuotaExceededError: "NoSpace",
  NotAllowedError: "Denied",
  SecurityError: "Denied",
  NoModificationAllowedError: "Busy",
  InvalidModificationError: "Busy",
  TimeoutError: "TimedOut",
  NotSupportedError: "Unsupported"
}

/** What was thrown, as an error of the store. */
export const fromDom = (operation: string, name: string, cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause
  const reason = hasProperty(cause, "name") && typeof cause.name === "string" ? byName[cause.name] : undefined
  const detail = cause instanceof Error ? cause.message : String(cause)
  return storeError(operation, name, reason ?? "Unknown", detail === "" ? "no detail was given" : detail, cause)
}

/** Waits for a promise. */
export const awaiting = <A>(operation: string, name: string, promise: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: promise, catch: (cause) => fromDom(operation, name, cause) })
