/**
 * A store in memory.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Reader, Store } from "../../CheckpointStore.ts"
import { concat } from "../../Safetensors.ts"
import { checkName, checkRange, isWithin, storeError } from "./names.ts"

const readerOf = (name: string, bytes: Uint8Array): Reader => ({
  size: bytes.length,
  read: (offset, into) =>
    Effect.map(checkRange(name, bytes.length, offset + into.length), () =>
      into.set(bytes.subarray(offset, offset + into.length))
    )
})

const collected = <E, R>(content: Stream.Stream<Uint8Array, E, R>) =>
  Stream.runCollect(Stream.map(content, (chunk) => chunk.slice())).pipe(Effect.map(concat))

/** An empty store. */
export const make = (): Store => {
  const objects = new Map<string, Uint8Array>()
  return {
    location: "memory",
    put: (name, content, { ifAbsent = false } = {}) =>
      Effect.gen(function* () {
        yield* checkName("put", name)
        const bytes = yield* collected(content)
        if (ifAbsent && objects.has(name)) {
          return yield* storeError("put", name, "AlreadyExists", "expected no object of that name")
        }
        objects.set(name, bytes)
      }),
    open: (name) =>
      Effect.gen(function* () {
        yield* checkName("open", name)
        const bytes = objects.get(name)
        if (bytes === undefined) return yield* storeError("open", name, "NotFound", "there is no object of that name")
        return readerOf(name, bytes)
      }),
    list: Effect.sync(() => [...objects.keys()]),
    remove: (prefix) =>
      Effect.map(checkName("remove", prefix), () => {
        for (const name of objects.keys()) if (isWithin(prefix, name)) objects.delete(name)
      }),
    sweep: Effect.void
  }
}
