/**
 * The backends of the benchmark in a browser, with everything counted: what our devices do, what tfjs launches, and what is
 * read back.
 */
import type { BackendUnavailable } from "@optim/core"
import { Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as WebGL from "@optim/core/webgl"
import * as WebGPU from "@optim/core/webgpu"
import * as tf from "@tensorflow/tfjs-core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Executor } from "../../packages/core/src/internal/gpu/execute.ts"
import { make } from "../../packages/core/src/internal/tfjs/service.ts"
import { WebGLDevice } from "../../packages/core/src/internal/webgl/device.ts"
import { findTextures } from "../../packages/core/src/internal/webgl/textures.ts"
import { findBuffers } from "../../packages/core/src/internal/webgpu/buffers.ts"
import { WebGPUDevice } from "../../packages/core/src/internal/webgpu/device.ts"

export interface Count {
  /** Passes and dispatches of our devices. */
  readonly ours: number
  /** Dispatches of whoever computes on WebGPU. */
  readonly dispatches: number
  /** Passes, dispatches or kernels of tfjs. */
  readonly theirs: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly readBacks: number
}

/** What was done between two counts. */
export const difference = (after: Count, before: Count): Count => ({
  ours: after.ours - before.ours,
  dispatches: after.dispatches - before.dispatches,
  theirs: after.theirs - before.theirs,
  bytesRead: after.bytesRead - before.bytesRead,
  bytesWritten: after.bytesWritten - before.bytesWritten,
  readBacks: after.readBacks - before.readBacks
})

/** A backend that is up. */
export interface Home {
  readonly name: string
  readonly run: <A, E>(effect: Effect.Effect<A, E, Tensors.Tensors>) => Promise<A>
  readonly count: () => Count
}

/** Counts the calls of a method from now on. */
const counting = (object: object, name: string): (() => number) => {
  const method: unknown = Reflect.get(object, name)
  if (typeof method !== "function") return () => 0
  let calls = 0
  Reflect.set(object, name, function (this: unknown, ...args: ReadonlyArray<unknown>): unknown {
    calls++
    return Reflect.apply(method, this, args)
  })
  return () => calls
}

interface Device {
  readonly ours: () => number
  readonly counts: { readonly bytesRead: number; readonly bytesWritten: number }
}

const open = (name: string, launch: string, service: Tensors.Tensors["Service"], device?: Device): Home => {
  const backend = tf.findBackend(name)
  const launches = counting(backend, launch)
  const dispatches = counting(GPUComputePassEncoder.prototype, "dispatchWorkgroups")
  const reads = [counting(backend, "read"), counting(backend, "readSync")]
  return {
    name,
    run: (effect) => Effect.runPromise(Effect.provideService(effect, Tensors.Tensors, service)),
    count: () => ({
      ours: device?.ours() ?? 0,
      dispatches: dispatches(),
      theirs: launches(),
      bytesRead: device?.counts.bytesRead ?? 0,
      bytesWritten: device?.counts.bytesWritten ?? 0,
      readBacks: reads.reduce((all, calls) => all + calls(), 0)
    })
  }
}

const built = (layer: Layer.Layer<Tensors.Tensors, BackendUnavailable>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, Tensors.Tensors))

const missing = (what: string): never => {
  throw new Error(`the ${what} of tfjs are not where they are looked for`)
}

const serviceOn = (name: string, device: ConstructorParameters<typeof Executor>[0]): Tensors.Tensors["Service"] =>
  make({ name, heapBytes: () => undefined, readsAtOnce: false, execution: "", execute: new Executor(device).execute })

/** wasm, webgl and webgpu, each for the scope in which it is opened. */
export const homes: ReadonlyArray<Effect.Effect<Home, BackendUnavailable, Scope.Scope>> = [
  Effect.map(built(Wasm.layer), (service) => open("wasm", "makeOutput", service)),
  Effect.map(built(WebGL.layer), () => {
    const device = new WebGLDevice(findTextures() ?? missing("textures"))
    const ours = () => device.counts.passes + device.counts.conversions
    return open("webgl", "runWebGLProgram", serviceOn("webgl", device), { ours, counts: device.counts })
  }),
  Effect.map(built(WebGPU.layer), () => {
    const device = new WebGPUDevice(findBuffers() ?? missing("buffers"))
    const ours = () => device.counts.dispatches
    return open("webgpu", "runWebGPUProgram", serviceOn("webgpu", device), { ours, counts: device.counts })
  })
]
