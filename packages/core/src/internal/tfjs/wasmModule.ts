/**
 * The inside of tfjs' wasm backend, as far as we reach into it. The one file that does.
 *
 * tfjs 4.22 keeps the emscripten module as `backend.wasm`, with the allocator (`_malloc`, `_free`), the memory
 * (`asm.memory`, or `wasmMemory` where there are threads) and a view on it (`HEAPU8`); `backend.dataIdMap` says where the numbers of a tensor lie. None of this is
 * documented, so each part is looked for and done without when it is missing; a test names the version.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import { checked } from "./allocation.ts"
import { type DataRecord, isWatched, type Names, type Touches, WatchedData } from "./watchedData.ts"

const findModule = (): unknown => {
  const backend: unknown = tf.findBackend("wasm")
  return hasProperty(backend, "wasm") ? backend.wasm : undefined
}

/** The bytes of the WebAssembly memory, which never shrinks. */
export const heapBytes = (): number | undefined => {
  const module = findModule()
  return hasProperty(module, "HEAPU8") && module.HEAPU8 instanceof Uint8Array ? module.HEAPU8.length : undefined
}

interface Allocator {
  _malloc: (bytes: number) => number
  readonly _free: (address: number) => void
}

// Emscripten's malloc and free have the C interface that it documents.
const isAllocator = (module: unknown): module is Allocator =>
  hasProperty(module, "_malloc") &&
  typeof module._malloc === "function" &&
  hasProperty(module, "_free") &&
  typeof module._free === "function"

/** Makes the backend's allocator throw instead of answering with a wrong address; true if it could be found. */
export const checkAllocations = (): boolean => {
  const module = findModule()
  if (!isAllocator(module)) return false
  // An export of emscripten is a stub that writes the function itself in its place, over anything, at its first call.
  module._free(module._malloc(1))
  module._malloc = checked(module._malloc)
  return true
}

/** Where the numbers of a tensor lie, and how many handles share them. */
export type Placement = WatchedData

/** The heap of the backend, for code that works on tensors in place. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  /** The address of so many new bytes; throws `OutOfMemoryDefect`. */
  readonly allocate: (bytes: number) => number
  readonly free: (address: number) => void
  /** Where a tensor lies; brings it over from another backend. */
  readonly placementOf: (tensor: Tensor) => Placement
  /** To be called for data that is written in place: tfjs must not go on with what it derived from the old numbers. */
  readonly renew: (placement: Placement) => void
  /** A new float32 tensor with whatever numbers are there. */
  readonly makeTensor: (shape: ReadonlyArray<number>) => Tensor
  /** How often something was done with data after `renew`: while it is the same number, all is as it was then. */
  readonly touches: () => number
  /** How many tensors have left for other backends: placements known before such a move are void. */
  readonly departures: () => number
}

interface Backend extends tf.KernelBackend, Names {
  readonly wasm: Names["wasm"] & {
    readonly _malloc: (bytes: number) => number
    readonly _free: (address: number) => void
  }
  readonly dataIdMap: {
    readonly get: (dataId: object) => DataRecord
    readonly set: (dataId: object, record: DataRecord) => void
    readonly delete: (dataId: object) => void
  }
  readonly makeOutput: (shape: Array<number>, dtype: "float32") => tf.TensorInfo
}

/** The memory: of the ordinary build among its exports, of the threaded one, which imports it, on the module. */
const memoryOf = (module: unknown): WebAssembly.Memory | undefined => {
  const exports = hasProperty(module, "asm") ? module.asm : undefined
  const exported = hasProperty(exports, "memory") ? exports.memory : undefined
  const memory = exported ?? (hasProperty(module, "wasmMemory") ? module.wasmMemory : undefined)
  return memory instanceof WebAssembly.Memory ? memory : undefined
}

const isBackend = (backend: unknown): backend is Backend =>
  hasProperty(backend, "wasm") &&
  hasProperty(backend.wasm, "_malloc") &&
  hasProperty(backend.wasm, "_free") &&
  memoryOf(backend.wasm) !== undefined &&
  hasProperty(backend.wasm, "tfjs") &&
  hasProperty(backend.wasm.tfjs, "registerTensor") &&
  hasProperty(backend.wasm.tfjs, "disposeData") &&
  hasProperty(backend, "dataIdNextNumber") &&
  hasProperty(backend, "dataIdMap") &&
  hasProperty(backend, "makeOutput")

const departuresKey = Symbol.for("@optim/core/departures")

/** Counts the tensors that tfjs takes away by force, which it does when another backend needs them. */
const countDepartures = (backend: Backend): (() => number) => {
  const known: unknown = Reflect.get(backend, departuresKey)
  if (typeof known === "function") return known as () => number
  let count = 0
  const dispose = backend.disposeData.bind(backend)
  const counting = (dataId: object, force?: boolean): boolean => {
    if (force === true) count++
    return dispose(dataId, force)
  }
  Object.assign(backend, { disposeData: counting, [departuresKey]: () => count })
  return () => count
}

const touchesKey = Symbol.for("@optim/core/touches")

const isTouches = (found: unknown): found is Touches => hasProperty(found, "count") && typeof found.count === "number"

/** The one counter of the backend, for all copies of this package. */
const touchesOf = (backend: Backend): Touches => {
  const known: unknown = Reflect.get(backend, touchesKey)
  if (isTouches(known)) return known
  const touches: Touches = { count: 0 }
  Object.assign(backend, { [touchesKey]: touches })
  return touches
}

/** The record of a tensor's data, watched from now on. */
const watched = ({ dataIdMap }: Backend, touches: Touches, { dataId }: Tensor): WatchedData => {
  const record = dataIdMap.get(dataId)
  if (isWatched(record)) return record
  const data = new WatchedData(record, touches)
  // Deleted first, because the map counts what is set.
  dataIdMap.delete(dataId)
  dataIdMap.set(dataId, data)
  return data
}

/** The heap of the backend, or nothing if it does not look as expected. */
export const findHeap = (): Heap | undefined => {
  const backend: unknown = tf.findBackend("wasm")
  if (!isBackend(backend)) return undefined
  const { wasm } = backend
  const memory = memoryOf(wasm)
  if (memory === undefined) return undefined
  const engine = tf.engine()
  const touches = touchesOf(backend)
  return {
    memory,
    // Emscripten answers with a signed number: addresses above 2 GiB are negative.
    allocate: (bytes) => wasm._malloc(bytes) >>> 0,
    free: (address) => wasm._free(address),
    placementOf: (tensor) => watched(backend, touches, tensor),
    renew: (placement) => placement.renew(backend),
    makeTensor: (shape) =>
      engine.keep(engine.makeTensorFromTensorInfo(backend.makeOutput([...shape], "float32"), backend)),
    touches: () => touches.count,
    departures: countDepartures(backend)
  }
}
