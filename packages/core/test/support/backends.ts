/** The layers that every suite runs on. */
import type { BackendUnavailable, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as WebGL from "@optim/core/webgl"
import * as WebGPU from "@optim/core/webgpu"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

type TensorsLayer = Layer.Layer<Tensors.Tensors, BackendUnavailable>

export interface Backend {
  readonly name: "wasm" | "cpu" | "webgl" | "webgpu"
  readonly layer: TensorsLayer
  /** Can numbers be read without waiting, and so an effect be run within a loss? */
  readonly readsAtOnce: boolean
}

/** A layer with its backend as tfjs' current one, as in an application that computes on it. */
const asCurrent = (name: Backend["name"], layer: TensorsLayer): TensorsLayer => {
  const current = Effect.acquireRelease(
    Effect.promise(async () => {
      const previous = tf.engine().backendName
      await tf.setBackend(name)
      return previous
    }),
    (previous) => Effect.promise(() => tf.setBackend(previous))
  )
  return Layer.effectDiscard(current).pipe(Layer.provideMerge(layer))
}

const everywhere: ReadonlyArray<Backend> = [
  { name: "wasm", layer: Wasm.layer, readsAtOnce: true },
  { name: "cpu", layer: Cpu.layer, readsAtOnce: true }
]

const inBrowsers: ReadonlyArray<Backend> = [
  { name: "webgl", layer: asCurrent("webgl", WebGL.layer), readsAtOnce: false },
  { name: "webgpu", layer: asCurrent("webgpu", WebGPU.layer), readsAtOnce: false }
]

export const backends = "document" in globalThis ? [...everywhere, ...inBrowsers] : everywhere
