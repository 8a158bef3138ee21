/**
 * `Tensors` on tfjs' WebGPU backend: the layer for browsers with a modern GPU.
 *
 * Needs `@tensorflow/tfjs-backend-webgpu`. A fused kernel is one compute shader with all its results, written in place
 * where they are donated; small leaves share dispatches, and a step is one submission.
 */
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Executor } from "./internal/gpu/execute.ts"
import { bringUp, loadGradients } from "./internal/tfjs/backend.ts"
import { interpreted, make } from "./internal/tfjs/service.ts"
import { discardLost, findBuffers } from "./internal/webgpu/buffers.ts"
import { WebGPUDevice } from "./internal/webgpu/device.ts"
import type { BackendUnavailable } from "./OptimError.ts"
import { Tensors } from "./Tensors.ts"

/** The limits that tfjs asks for, and as many buffers in a shader as there can be. */
const limits = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
  "maxStorageBuffersPerShaderStage"
] as const

/**
 * A backend on a device of our own asking: tfjs stumbles over an adapter that is not there, and asks for no more than
 * eight buffers in a shader.
 */
const makeBackend = async (): Promise<WebGPUBackend> => {
  const gpu = "navigator" in globalThis && "gpu" in navigator ? navigator.gpu : undefined
  if (gpu === undefined) throw new Error("there is no WebGPU here (navigator.gpu is missing)")
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" })
  if (adapter === null) throw new Error("the browser has WebGPU, but no adapter for it (requestAdapter gave null)")
  const features = (["timestamp-query"] as const).filter((feature) => adapter.features.has(feature))
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]]))
  })
  return new WebGPUBackend(device, adapter.info)
}

const executor = Effect.gen(function* () {
  const buffers = findBuffers()
  if (buffers === undefined) {
    const missing = "its buffers are not where tfjs 4.22 keeps them"
    yield* Effect.logWarning(`No fused kernels on the tfjs webgpu backend: ${missing}. Updates run op by op.`)
    return { execution: `op by op, by tfjs (webgpu): ${missing}`, execute: interpreted, isLost: () => false }
  }
  const device = yield* Effect.acquireRelease(
    Effect.sync(() => new WebGPUDevice(buffers)),
    (device) => Effect.sync(() => device.close())
  )
  return {
    execution: "fused kernels as WebGPU compute shaders, in place where donated",
    execute: new Executor(device).execute,
    isLost: buffers.isLost
  }
})

/**
 * The `Tensors` service on tfjs' WebGPU backend. Fails with `BackendUnavailable` where there is no adapter.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as WebGPU from "@optim/core/webgpu"
 *
 * // In a browser this gives "webgpu"; Node has no WebGPU.
 * const name = Effect.map(Tensors.Tensors, (tensors) => tensors.backend)
 * const found = name.pipe(
 *   Effect.provide(WebGPU.layer),
 *   Effect.catchTag("BackendUnavailable", ({ backend }) => Effect.succeed(`no ${backend}`))
 * )
 * assert.strictEqual(await Effect.runPromise(found), "no webgpu")
 * ```
 */
export const layer: Layer.Layer<Tensors, BackendUnavailable> = Layer.effect(
  Tensors,
  Effect.gen(function* () {
    yield* Effect.sync(discardLost)
    yield* bringUp("webgpu", makeBackend)
    yield* loadGradients
    return make({ name: "webgpu", heapBytes: () => undefined, readsAtOnce: false, ...(yield* executor) })
  })
)
