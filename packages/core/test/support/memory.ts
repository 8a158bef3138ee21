/** What an effect leaves behind. */
import { assert } from "@effect/vitest"
import { Tensors } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

/** Tensors, their data and bytes as tfjs counts them, and the backend's heap. */
export const memory = Effect.gen(function* () {
  const { heapBytes } = yield* (yield* Tensors.Tensors).memory
  const { numBytes, numDataBuffers, numTensors } = tf.memory()
  return { numTensors, numDataBuffers, numBytes, heapBytes }
})

/** Runs an effect in a scope of its own; afterwards memory must be what it was before. */
export const leavesNothing = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = yield* memory
  const result = yield* Effect.scoped(effect)
  assert.deepStrictEqual({ ...(yield* memory), heapBytes: 0 }, { ...before, heapBytes: 0 })
  return result
})
