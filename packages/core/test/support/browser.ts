/// <reference types="vite/client" />
/** Where a browser finds the `.wasm` files of tfjs' wasm backend: as a bundler gives their addresses. */
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm"
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url"
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url"
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url"

setWasmPaths({
  "tfjs-backend-wasm.wasm": plain,
  "tfjs-backend-wasm-simd.wasm": simd,
  "tfjs-backend-wasm-threaded-simd.wasm": threaded
})
