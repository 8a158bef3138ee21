/**
 * Names of objects: what may be one, and errors about them.
 *
 * A name is parts between slashes. Since a part begins with a letter, a digit or `_`, no name is absolute, climbs with
 * `..`, or meets a store's own files, which begin with a dot.
 */
import * as Effect from "effect/Effect"
import { StoreError, type StoreReason } from "../../SerializeError.ts"

const part = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

const longest = 240

/** Whether an object may bear this name. */
const isName = (name: string): boolean =>
  name.length <= longest && name.split("/").every((piece) => part.test(piece) && !piece.endsWith("."))

/** An error of a store. */
export const storeError = (
  operation: string,
  name: string,
  reason: StoreReason,
  detail: string,
  cause?: unknown
): StoreError => new StoreError({ operation, name, reason, detail, ...(cause === undefined ? {} : { cause }) })

/** Fails with `InvalidName` for what is no name. */
export const checkName = (operation: string, name: string): Effect.Effect<void, StoreError> =>
  isName(name)
    ? Effect.void
    : Effect.fail(storeError(operation, name, "InvalidName", "this cannot be the name of an object"))

/** Whether a name is `prefix` or lies below it. */
export const isWithin = (prefix: string, name: string): boolean => name === prefix || name.startsWith(`${prefix}/`)

/** Fails with `Truncated` unless the object has so many bytes. */
export const checkRange = (name: string, size: number, end: number): Effect.Effect<void, StoreError> =>
  end <= size
    ? Effect.void
    : Effect.fail(storeError("open", name, "Truncated", `expected at least ${end} bytes, found ${size}`))
