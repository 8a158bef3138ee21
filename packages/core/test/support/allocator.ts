/**
 * The allocator of tfjs' wasm backend, watched: how much it has handed out, and refusing on demand.
 *
 * tfjs counts the tensors that it knows of; this counts what lies on the heap, whoever put it there.
 */
import type { BackendUnavailable, Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

interface Heap {
  _malloc: (bytes: number) => number
  _free: (address: number) => void
}

const live = new Set<number>()
let asked = 0
let refuseIn = Number.POSITIVE_INFINITY
let isWatched = false

const watch = Effect.promise(async () => {
  await tf.setBackend("wasm")
  if (isWatched) return
  isWatched = true
  // The module that emscripten made, which tfjs keeps without declaring it.
  const { wasm } = tf.backend() as unknown as { readonly wasm: Heap }
  // The first call replaces emscripten's stubs by the functions themselves.
  wasm._free(wasm._malloc(1))
  const { _free, _malloc } = wasm
  wasm._malloc = (bytes) => {
    asked += 1
    refuseIn -= 1
    if (refuseIn < 0) return 0
    const address = _malloc(bytes)
    live.add(address >>> 0)
    return address
  }
  wasm._free = (address) => {
    live.delete(address >>> 0)
    _free(address)
  }
})

/** `Wasm.layer`, with the allocator watched from its very beginning. */
export const layer: Layer.Layer<Tensors.Tensors, BackendUnavailable> = Wasm.layer.pipe(
  Layer.provide(Layer.effectDiscard(watch))
)

/** How many pieces of the heap are in use. */
export const allocations = (): number => live.size

/** How often a piece of the heap was asked for. */
export const requests = (): number => asked

/** Runs an effect in which the allocation after `n` others, and all that follow, are refused. */
export const refusingAfter = <A, E, R>(n: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    refuseIn = n
    return effect
  }).pipe(Effect.ensuring(Effect.sync(() => (refuseIn = Number.POSITIVE_INFINITY))))
