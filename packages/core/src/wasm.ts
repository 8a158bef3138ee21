/**
 * `Tensors` on tfjs' WebAssembly backend: the layer for Node and for browsers without a GPU.
 *
 * Needs `@tensorflow/tfjs-backend-wasm`. Under a strict content security policy it needs `wasm-unsafe-eval`, as tfjs'
 * backend itself does; in a browser call tfjs' `setWasmPaths` first if the `.wasm` files are not beside the script.
 */
import "@tensorflow/tfjs-backend-wasm"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bringUp, loadGradients } from "./internal/tfjs/backend.ts"
import { interpreted, make } from "./internal/tfjs/service.ts"
import { checkAllocations, findHeap, heapBytes } from "./internal/tfjs/wasmModule.ts"
import { Executor } from "./internal/wasm/execute.ts"
import { hasSimd } from "./internal/wasm/modules.ts"
import type { BackendUnavailable } from "./OptimError.ts"
import { Tensors } from "./Tensors.ts"

export { type KernelModule, modules } from "./internal/wasm/inspect.ts"

/** Fused kernels in the backend's own heap; node by node where they cannot be had, and said so. */
const executor = Effect.gen(function* () {
  const heap = findHeap()
  if (heap === undefined || !hasSimd()) {
    const missing = heap === undefined ? "its heap is not where tfjs 4.22 keeps it" : "this engine has no SIMD"
    yield* Effect.logWarning(`No fused kernels on the tfjs wasm backend: ${missing}. Updates run op by op.`)
    return { execution: `op by op, by tfjs (wasm): ${missing}`, execute: interpreted }
  }
  const { execute } = yield* Effect.acquireRelease(
    Effect.sync(() => new Executor(heap)),
    (executor) => Effect.sync(() => executor.close())
  )
  return { execution: "fused kernels in WebAssembly SIMD, in place where donated", execute }
})

/**
 * The `Tensors` service on tfjs' wasm backend. Fails with `BackendUnavailable` when tfjs cannot bring it up.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as Wasm from "@optim/core/wasm"
 *
 * const name = Effect.map(Tensors.Tensors, (tensors) => tensors.backend)
 * assert.strictEqual(await Effect.runPromise(name.pipe(Effect.provide(Wasm.layer))), "wasm")
 * ```
 */
export const layer: Layer.Layer<Tensors, BackendUnavailable> = Layer.effect(
  Tensors,
  Effect.gen(function* () {
    yield* bringUp("wasm")
    yield* loadGradients
    if (!checkAllocations())
      yield* Effect.logWarning("This tfjs wasm backend hides its allocator: out of memory goes unnoticed")
    return make({ name: "wasm", heapBytes, readsAtOnce: true, ...(yield* executor) })
  })
)
