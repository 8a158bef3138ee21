/**
 * `Tensors` on tfjs' WebGL backend: the layer for browsers with a GPU.
 *
 * Needs `@tensorflow/tfjs-backend-webgl`, and WebGL 2 with 32-bit float textures to draw into. A fused kernel is one
 * fragment program, which writes up to four results at once; reductions stay on the device, and nothing is read back in
 * a step.
 */
import "@tensorflow/tfjs-backend-webgl"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Executor } from "./internal/gpu/execute.ts"
import { bringUp, loadGradients } from "./internal/tfjs/backend.ts"
import { interpreted, make } from "./internal/tfjs/service.ts"
import { WebGLDevice } from "./internal/webgl/device.ts"
import { discardLost, findTextures } from "./internal/webgl/textures.ts"
import { BackendUnavailable } from "./OptimError.ts"
import { Tensors } from "./Tensors.ts"

/** What a WebGL layer may do with. */
export interface Options {
  /**
   * Go on where the device draws 16-bit floats only? Off by default: an optimizer's state then goes wrong without a
   * word, because a small step is lost beside a large parameter and a square soon overflows.
   */
  readonly allowFloat16?: boolean
}

const unavailable = (reason: string): BackendUnavailable => new BackendUnavailable({ backend: "webgl", reason })

const checkDevice = ({ allowFloat16 = false }: Options): Effect.Effect<void, BackendUnavailable> =>
  Effect.suspend(() => {
    if (!("document" in globalThis) && !("OffscreenCanvas" in globalThis))
      return Effect.fail(unavailable("there is no canvas here to draw on"))
    if (tf.env().getNumber("WEBGL_VERSION") !== 2)
      return Effect.fail(unavailable("it needs WebGL 2, which is not here"))
    if (tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED") || allowFloat16) return Effect.void
    return Effect.fail(
      unavailable(
        "this device draws 16-bit floats only, in which an optimizer's state goes wrong; take another layer, or pass { allowFloat16: true }"
      )
    )
  })

const executor = Effect.gen(function* () {
  const textures = findTextures()
  if (textures === undefined) {
    const missing = "its textures are not where tfjs 4.22 keeps them"
    yield* Effect.logWarning(`No fused kernels on the tfjs webgl backend: ${missing}. Updates run op by op.`)
    return { execution: `op by op, by tfjs (webgl): ${missing}`, execute: interpreted, isLost: () => false }
  }
  const device = yield* Effect.acquireRelease(
    Effect.sync(() => new WebGLDevice(textures)),
    (device) => Effect.sync(() => device.close())
  )
  return {
    execution: "fused kernels as WebGL fragment programs",
    execute: new Executor(device).execute,
    isLost: () => textures.gl.isContextLost()
  }
})

/**
 * The `Tensors` service on tfjs' WebGL backend. Fails with `BackendUnavailable` when there is no WebGL 2, or where the
 * device draws 16-bit floats only and this is not allowed.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as WebGL from "@optim/core/webgl"
 *
 * // In a browser this gives "webgl"; Node has no WebGL.
 * const name = Effect.map(Tensors.Tensors, (tensors) => tensors.backend)
 * const found = name.pipe(
 *   Effect.provide(WebGL.layerWith({ allowFloat16: false })),
 *   Effect.catchTag("BackendUnavailable", ({ reason }) => Effect.succeed(reason))
 * )
 * assert.strictEqual(await Effect.runPromise(found), "there is no canvas here to draw on")
 * ```
 */
export const layerWith = (options: Options): Layer.Layer<Tensors, BackendUnavailable> =>
  Layer.effect(
    Tensors,
    Effect.gen(function* () {
      yield* Effect.sync(discardLost)
      yield* checkDevice(options)
      yield* bringUp("webgl")
      yield* loadGradients
      return make({ name: "webgl", heapBytes: () => undefined, readsAtOnce: false, ...(yield* executor) })
    })
  )

/** `layerWith` for devices that draw 32-bit floats. */
export const layer: Layer.Layer<Tensors, BackendUnavailable> = layerWith({})
