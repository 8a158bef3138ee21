/**
 * The library on tfjs' wasm backend, twice: with its kernels, and node by node.
 */
import { Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { bringUp } from "../../packages/core/src/internal/tfjs/backend.ts"
import { interpreted, make } from "../../packages/core/src/internal/tfjs/service.ts"

/** Runs an effect to its end, at once. */
export type Run = <A, E>(effect: Effect.Effect<A, E, Tensors.Tensors>) => A

const interpreter = Layer.effect(
  Tensors.Tensors,
  Effect.gen(function* () {
    yield* bringUp("wasm")
    return make({
      name: "wasm",
      heapBytes: () => undefined,
      readsAtOnce: true,
      execution: "op by op",
      execute: interpreted
    })
  })
)

/** A layer that is up, and what it takes to use it; every run is a fiber of its own. */
export interface Home {
  readonly run: Run
  readonly close: () => Promise<void>
}

const open = async (layer: Layer.Layer<Tensors.Tensors, unknown>): Promise<Home> => {
  const runtime = ManagedRuntime.make(layer)
  const context = await runtime.runPromise(Effect.context<Tensors.Tensors>())
  return { run: Effect.runSyncWith(context), close: () => runtime.dispose() }
}

/** Fused kernels. */
export const openFused = (): Promise<Home> => open(Wasm.layer)

/** The interpreter on the same backend. */
export const openInterpreter = (): Promise<Home> => open(interpreter)

/** tfjs' cpu backend, which then stands beside the current one. */
export const openCpu = (): Promise<Home> => open(Cpu.layer)
