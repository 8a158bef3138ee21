/** A backend that cannot be had. In a file, and so in a process, of its own: what tfjs is told here stays. */
import { assert, it, vi } from "@effect/vitest"
import { BackendUnavailable, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

/** What tfjs says of it, in Node as in a browser. */
const reason =
  "Make sure the server can serve the `.wasm` file relative to the bundled js file. For more details see " +
  "https://github.com/tensorflow/tfjs/blob/master/tfjs-backend-wasm/README.md#using-bundlers"

it.effect("the wasm layer fails with the reason when its file is not where it should be", () =>
  Effect.gen(function* () {
    // emscripten says it, too
    for (const method of ["warn", "error"] as const) vi.spyOn(console, method).mockReturnValue()
    const files = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`)
    setWasmPaths(Object.fromEntries(files.map((file) => [file, `/nowhere/${file}`])))
    yield* Effect.provide(Tensors.Tensors, Cpu.layer)
    const error = yield* Effect.flip(Effect.provide(Tensors.Tensors, Wasm.layer))
    assert.instanceOf(error, BackendUnavailable)
    assert.strictEqual(error.backend, "wasm")
    assert.strictEqual(error.message, `The tfjs backend 'wasm' is not available: ${reason}`)
    assert.strictEqual(tf.getBackend(), "cpu")
  })
)
