/**
 * The inside of tfjs' wasm backend, as far as we reach into it. The one file that does.
 *
 * tfjs 4.22 keeps the emscripten module as `backend.wasm`, with `_malloc` and the view `HEAPU8` on its memory. None of
 * this is documented, so each part is looked for and done without when it is missing; a test names the version.
 */
import * as tf from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import { checked } from "./allocation.ts"

const moduleOf = (): unknown => {
  const backend: unknown = tf.findBackend("wasm")
  return hasProperty(backend, "wasm") ? backend.wasm : undefined
}

/** The bytes of the WebAssembly memory, which never shrinks. */
export const heapBytes = (): number | undefined => {
  const module = moduleOf()
  return hasProperty(module, "HEAPU8") && module.HEAPU8 instanceof Uint8Array ? module.HEAPU8.length : undefined
}

interface Heap {
  _malloc: (bytes: number) => number
  readonly _free: (address: number) => void
}

// Emscripten's malloc and free have the C interface that it documents.
const isHeap = (module: unknown): module is Heap =>
  hasProperty(module, "_malloc") &&
  typeof module._malloc === "function" &&
  hasProperty(module, "_free") &&
  typeof module._free === "function"

/** Makes the backend's allocator throw instead of answering with a wrong address; true if it could be found. */
export const checkAllocations = (): boolean => {
  const module = moduleOf()
  if (!isHeap(module)) return false
  // An export of emscripten is a stub that writes the function itself in its place, over anything, at its first call.
  module._free(module._malloc(1))
  module._malloc = checked(module._malloc)
  return true
}
