/**
 * Failures in one line: libraries spread a message over several, a command line says it in one.
 */
import type { PlatformError } from "effect/PlatformError"

/** A message in one line. */
export const oneLine = (message: string): string =>
  message
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("; ")
    .replaceAll("; at [", " at [")

/** What the operating system objects to, in a few words. */
export const platformReason = ({ reason }: PlatformError): string => {
  if (reason._tag === "NotFound") return "no such file"
  if (reason._tag === "PermissionDenied") return "permission denied"
  return reason.cause instanceof Error ? reason.cause.message : reason.message
}
