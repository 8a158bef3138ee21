/** How much is compiled. */
import * as Effect from "effect/Effect"

/** How many modules are compiled meanwhile. */
export const compiled = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  let count = 0
  const { Module } = WebAssembly
  class Counted extends Module {
    constructor(bytes: BufferSource) {
      super(bytes)
      count += 1
    }
  }
  yield* Effect.acquireUseRelease(
    Effect.sync(() => (WebAssembly.Module = Counted)),
    () => effect,
    () => Effect.sync(() => (WebAssembly.Module = Module))
  )
  return count
})
