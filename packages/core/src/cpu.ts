/**
 * `Tensors` on tfjs' plain JavaScript backend: the readable reference interpreter.
 *
 * Use it in tests, where no WebAssembly is to be had, or to check another layer. Needs `@tensorflow/tfjs-backend-cpu`.
 */
import "@tensorflow/tfjs-backend-cpu"
import * as tf from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bringUp, loadGradients } from "./internal/tfjs/backend.ts"
import { interpreted, make } from "./internal/tfjs/service.ts"
import type { BackendUnavailable } from "./OptimError.ts"
import { Tensors } from "./Tensors.ts"

/** tfjs' cpu backend greets on its first use in Node; whoever asks for this layer knows what it is. */
const withoutGreeting = (backend: unknown): void => {
  if (hasProperty(backend, "firstUse")) Object.assign(backend, { firstUse: false })
}

/**
 * The `Tensors` service on tfjs' cpu backend. Fails with `BackendUnavailable` when tfjs cannot bring it up.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const name = Effect.map(Tensors.Tensors, (tensors) => tensors.backend)
 * assert.strictEqual(await Effect.runPromise(name.pipe(Effect.provide(Cpu.layer))), "cpu")
 * ```
 */
export const layer: Layer.Layer<Tensors, BackendUnavailable> = Layer.effect(
  Tensors,
  Effect.gen(function* () {
    yield* bringUp("cpu")
    yield* loadGradients
    withoutGreeting(tf.findBackend("cpu"))
    return make({
      name: "cpu",
      heapBytes: () => undefined,
      readsAtOnce: true,
      execution: "op by op, by tfjs (cpu)",
      execute: interpreted
    })
  })
)
