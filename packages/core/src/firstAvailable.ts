/**
 * `Tensors` on the first backend that is to be had: WebGPU, WebGL, WebAssembly, plain JavaScript.
 *
 * For programs that run on machines that nobody has seen. It says which backend it took and why not the ones before it,
 * in the log and in the `execution` of the service. A backend whose package is not installed counts as not available.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { BackendUnavailable } from "./OptimError.ts"
import { Tensors } from "./Tensors.ts"

/** The name of a backend that there is a layer for. */
export type Name = "webgpu" | "webgl" | "wasm" | "cpu"

/** What a choice may be made from. */
export interface Options {
  /** The backends to try, the first that is available is taken. Default: webgpu, webgl, wasm, cpu. */
  readonly order?: ReadonlyArray<Name>
}

interface Module {
  readonly layer: Layer.Layer<Tensors, BackendUnavailable>
}

const modules: { readonly [N in Name]: () => Promise<Module> } = {
  webgpu: () => import("./webgpu.ts"),
  webgl: () => import("./webgl.ts"),
  wasm: () => import("./wasm.ts"),
  cpu: () => import("./cpu.ts")
}

/** The service of one backend, in the scope of whoever asks. */
const serviceOf = Effect.fnUntraced(function* (name: Name) {
  const { layer } = yield* Effect.tryPromise({
    try: modules[name],
    catch: (cause) => new BackendUnavailable({ backend: name, reason: `it cannot be loaded: ${String(cause)}`, cause })
  })
  return Context.get(yield* Layer.build(layer), Tensors)
})

const choose = Effect.fnUntraced(function* (order: ReadonlyArray<Name>) {
  const reasons: Array<string> = []
  for (const name of order) {
    const found = yield* Effect.result(serviceOf(name))
    if (Result.isFailure(found)) {
      reasons.push(`${name}: ${found.failure.reason}`)
      continue
    }
    const why = reasons.length === 0 ? "the first choice" : `not ${reasons.join("; not ")}`
    yield* Effect.logInfo(`Tensors are on ${name} (${why})`)
    return { ...found.success, execution: `${found.success.execution} (${why})` }
  }
  return yield* new BackendUnavailable({ backend: order.join(", "), reason: reasons.join("; ") })
})

/**
 * The `Tensors` service on the first available backend of an order. Fails with `BackendUnavailable`, which tells the
 * reason of each, if there is none.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as FirstAvailable from "@optim/core/firstAvailable"
 *
 * const name = Effect.map(Tensors.Tensors, (tensors) => tensors.backend)
 * const layer = FirstAvailable.layerWith({ order: ["webgpu", "cpu"] })
 * assert.strictEqual(await Effect.runPromise(name.pipe(Effect.provide(layer))), "cpu") // Node has no WebGPU
 * ```
 */
export const layerWith = ({
  order = ["webgpu", "webgl", "wasm", "cpu"]
}: Options): Layer.Layer<Tensors, BackendUnavailable> => Layer.effect(Tensors, choose(order))

/** `layerWith` for the usual order: webgpu, webgl, wasm, cpu. */
export const layer: Layer.Layer<Tensors, BackendUnavailable> = layerWith({})
