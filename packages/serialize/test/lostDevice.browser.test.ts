/** A device that goes away in the middle of a run, which goes on from its checkpoint on another as if nothing had been. */
import { assert, describe, it } from "@effect/vitest"
import { Optimizer, Tensors } from "@optim/core"
import * as WebGL from "@optim/core/webgl"
import * as WebGPU from "@optim/core/webgpu"
import { PyTree } from "@optim/pytree"
import { Checkpoint } from "@optim/serialize"
import { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl"
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

const optimizer = Optimizer.adam({ stepSize: 0.1 })
const params = () => ({ w: Float32Array.of(1, -2, 3), b: 0.5 })
const grads = (step: number) => ({ w: Float32Array.of(Math.sin(step), 1, -2), b: step })

type State = Effect.Success<ReturnType<typeof begun>>

const begun = () => optimizer.init(params())

const trained = Effect.fnUntraced(function* (start: State, from: number, to: number) {
  let state = start
  for (let step = from; step < to; step++) state = yield* optimizer.update(step, grads(step), state, { donate: true })
  return state
})

const read = Effect.fnUntraced(function* (state: State) {
  const tensors = yield* Tensors.Tensors
  return yield* Effect.forEach(PyTree.leaves(optimizer.params(state)), (leaf) => tensors.read(leaf))
})

const loseWebGL = Effect.sync(() => {
  const backend = tf.findBackend("webgl")
  if (!(backend instanceof MathBackendWebGL)) return assert.fail("webgl is not up")
  backend.gpgpu.gl.getExtension("WEBGL_lose_context")?.loseContext()
})

const loseWebGPU = Effect.promise(async () => {
  const backend = tf.findBackend("webgpu")
  if (!(backend instanceof WebGPUBackend)) return assert.fail("webgpu is not up")
  backend.device.destroy()
  await backend.device.lost
})

for (const [name, layer, lose] of [
  ["webgl", WebGL.layer, loseWebGL],
  ["webgpu", WebGPU.layer, loseWebGPU]
] as const) {
  describe(`a run on ${name}`, () => {
    it.effect("goes on from its checkpoint after the device was lost, bit for bit", () =>
      Effect.gen(function* () {
        const { bytes, whole } = yield* Effect.gen(function* () {
          const state = yield* trained(yield* begun(), 0, 4)
          const bytes = yield* Checkpoint.encode({ optimizer, step: 4, state })
          const last = yield* trained(state, 4, 8)
          const whole = yield* read(last)
          yield* lose
          assert.strictEqual((yield* Effect.flip(optimizer.update(8, grads(8), last)))._tag, "BackendLost")
          assert.strictEqual(
            (yield* Effect.flip(Checkpoint.encode({ optimizer, step: 8, state: last })))._tag,
            "BackendLost"
          )
          return { bytes, whole }
        }).pipe(Effect.provide(layer))
        const again = yield* Effect.gen(function* () {
          const { state, step } = yield* Checkpoint.decode(bytes, { optimizer, params: params() })
          return yield* read(yield* trained(state, step, 8))
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(again, whole)
      })
    )
  })
}
