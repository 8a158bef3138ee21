/**
 * The inside of tfjs' wasm backend that we reach into, with tfjs 4.22.
 *
 * When this file fails after an update of tfjs, src/internal/tfjs/wasmModule.ts is the one to look at.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { version_wasm } from "@tensorflow/tfjs-backend-wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { OutOfMemoryDefect } from "../src/internal/tfjs/allocation.ts"
import { checkAllocations, heapBytes } from "../src/internal/tfjs/wasmModule.ts"
import { thrown } from "./support/thrown.ts"

interface Module {
  readonly _malloc: (bytes: number) => number
  readonly _free: (address: number) => void
  readonly HEAPU8: Uint8Array
}

// Undocumented: the module that emscripten made.
const moduleOf = (): Module => (tf.findBackend("wasm") as unknown as { readonly wasm: Module }).wasm

/** Runs an effect while the backend shows nothing of its inside. */
const hidden = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { registry } = tf.engine()
      const backend = registry["wasm"] ?? assert.fail("the wasm backend is not up")
      registry["wasm"] = new tf.KernelBackend()
      return backend
    }),
    () => effect,
    (backend) => Effect.sync(() => (tf.engine().registry["wasm"] = backend))
  )

describe("the version", () => {
  it("is the one whose inside was looked at", () => {
    assert.match(version_wasm, /^4\.22\./)
    assert.match(tf.version_core, /^4\.22\./)
  })
})

layer(Wasm.layer)("the module", (it) => {
  it.effect("has an allocator and a view on its memory", () =>
    Effect.sync(() => {
      const { HEAPU8, _free, _malloc } = moduleOf()
      const address = _malloc(16)
      assert.isAbove(address, 0)
      assert.isBelow(address, HEAPU8.length)
      _free(address)
    })
  )

  it.effect("shows the size of the heap, which grows with what lies on it", () =>
    Effect.gen(function* () {
      const tensors = yield* Tensors.Tensors
      const before = heapBytes()
      assert.strictEqual(before, moduleOf().HEAPU8.length)
      assert.strictEqual((before ?? 0) % 65536, 0) // pages of WebAssembly
      const bytes = (before ?? 0) + 65536
      const data = new Float32Array(bytes / 4)
      yield* Tensors.dispose(yield* tensors.make({ shape: [data.length], data }))
      assert.isAtLeast(heapBytes() ?? 0, bytes)
      assert.strictEqual((yield* tensors.memory).heapBytes, heapBytes())
    })
  )

  it.effect("is where tensors are: at the address that its allocator gave", () =>
    Effect.gen(function* () {
      const tensors = yield* Tensors.Tensors
      const module = moduleOf()
      const addresses: Array<number> = []
      const { _malloc } = module
      const watching = (bytes: number): number => {
        const address = _malloc(bytes)
        addresses.push(address)
        return address
      }
      Object.assign(module, { _malloc: watching })
      const made = yield* tensors.make({ shape: [2], data: Float32Array.of(1, -2) })
      Object.assign(module, { _malloc })
      assert.strictEqual(addresses.length, 1)
      const numbers = new Float32Array(moduleOf().HEAPU8.buffer, addresses[0], 2)
      assert.deepStrictEqual([...numbers], [1, -2])
      yield* Tensors.dispose(made)
    })
  )

  it.effect("has a checked allocator, checked once however often layers are built", () =>
    Effect.sync(() => {
      const { _malloc } = moduleOf()
      assert.instanceOf(
        thrown(() => _malloc(2 ** 32)),
        OutOfMemoryDefect
      )
      assert.isTrue(checkAllocations())
      assert.strictEqual(moduleOf()._malloc, _malloc)
    })
  )

  it.effect("may be hidden: no size, no check, and a warning", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => void logged.push([logLevel, message]))
      yield* hidden(
        Effect.gen(function* () {
          assert.isUndefined(heapBytes())
          assert.isFalse(checkAllocations())
          const tensors = yield* Effect.provide(Tensors.Tensors, Wasm.layer, { local: true })
          assert.isUndefined((yield* tensors.memory).heapBytes)
        }).pipe(Effect.provide(Logger.layer([logger])))
      )
      assert.deepStrictEqual(logged, [
        ["Warn", ["This tfjs wasm backend hides its allocator: out of memory goes unnoticed"]],
        [
          "Warn",
          ["No fused kernels on the tfjs wasm backend: its heap is not where tfjs 4.22 keeps it. Updates run op by op."]
        ]
      ])
    })
  )
})
