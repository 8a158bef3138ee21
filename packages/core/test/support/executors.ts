/**
 * The two ways to execute plans on the wasm backend, side by side: fused kernels, and node by node.
 *
 * Both work on the same tensors in the same heap; the backend must be up.
 */
import { assert } from "@effect/vitest"
import type { Tensors } from "@optim/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { interpreted, make } from "../../src/internal/tfjs/service.ts"
import { findHeap, type Heap, heapBytes } from "../../src/internal/tfjs/wasmModule.ts"
import { Executor } from "../../src/internal/wasm/execute.ts"
import type { Service } from "./execution.ts"

export const heap = (): Heap => findHeap() ?? assert.fail("the heap of the wasm backend is not there")

const serviceOf = (execute: Parameters<typeof make>[0]["execute"]): Service =>
  make({ name: "wasm", heapBytes, readsAtOnce: true, execution: "", execute })

/** Node by node. */
export const interpreter: Service = serviceOf(interpreted)

/** Fused kernels, with an executor of their own. */
export interface Fused {
  readonly executor: Executor
  readonly service: Service
}

/** An executor that leaves nothing in the heap when its scope ends. */
export const fused: Effect.Effect<Fused, never, Scope.Scope | Tensors.Tensors> = Effect.acquireRelease(
  Effect.sync(() => {
    const executor = new Executor(heap())
    return { executor, service: serviceOf(executor.execute) }
  }),
  ({ executor }) => Effect.sync(() => executor.close())
)
