/** Numbers: a run that is saved and loaded goes on as if it had never stopped. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Optimizer, OptimizerState, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import { Checkpoint } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { bits, forEachOptimizer, optimizers, params, train } from "./runs.ts"

describe("cases", () => {
  it("every optimizer of core is tried", () => {
    const others = new Set(["fromTransform", "leafwise", "clipGrads", "clipped", "explain", "l2Norm"])
    const tried: Array<string> = []
    forEachOptimizer(({ name }) => tried.push(name))
    assert.deepStrictEqual(
      tried.toSorted(),
      Object.keys(Optimizer)
        .filter((name) => !others.has(name))
        .toSorted()
    )
  })
})

for (const [backend, tensors] of [
  ["cpu", Cpu.layer],
  ["wasm", Wasm.layer]
] as const) {
  describe(`numbers on ${backend}`, () => {
    layer(Layer.merge(tensors, NodeServices.layer), { excludeTestServices: true })((it) => {
      forEachOptimizer((optimizer) => {
        it.effect(`${optimizer.name}: 50 steps, save, load and 50 steps are 100 steps, bit for bit`, () =>
          Effect.gen(function* () {
            const fs = yield* FileSystem.FileSystem
            const path = `${yield* fs.makeTempDirectoryScoped()}/run.safetensors`
            const half = yield* train(optimizer, yield* optimizer.init(params()), 0, 50)
            const text = yield* Checkpoint.encodeJson({ optimizer, step: 50, state: half })
            yield* Checkpoint.save(path, { optimizer, step: 50, state: half })
            const whole = bits(yield* train(optimizer, half, 50, 100))

            const fromFile = yield* Checkpoint.load(path, { optimizer, params: params() })
            assert.strictEqual(fromFile.step, 50)
            assert.deepStrictEqual(bits(yield* train(optimizer, fromFile.state, fromFile.step, 100)), whole)

            const fromText = yield* Checkpoint.decodeJson(text, { optimizer, params: params() })
            assert.deepStrictEqual(bits(yield* train(optimizer, fromText.state, fromText.step, 100)), whole)
          })
        )
      })

      it.effect("what is restored are tensors of its own: nothing else is left, and files do not change with it", () =>
        Effect.gen(function* () {
          const tensors = yield* Tensors.Tensors
          const optimizer = optimizers.adam
          const model = params()
          const state = yield* optimizer.init(model)
          const bytes = yield* Checkpoint.encode({ optimizer, step: 0, state })
          const copy = bytes.slice()
          const before = yield* tensors.memory
          const resumed = yield* Checkpoint.decode(bytes, { optimizer, params: model })
          const held = yield* tensors.memory
          assert.strictEqual(held.tensors, before.tensors + state.leaves.length)
          bytes.fill(255)
          assert.deepStrictEqual(bits(resumed.state), bits(state))
          yield* Tensors.dispose(yield* train(optimizer, resumed.state, 0, 3))
          assert.strictEqual((yield* tensors.memory).tensors, before.tensors)
          const again = yield* Checkpoint.decode(copy, { optimizer, params: model })
          assert.deepStrictEqual(bits(again.state), bits(state))
        })
      )

      it.effect("NaN with its payload, infinities, −0 and subnormals survive file and text", () =>
        Effect.gen(function* () {
          const tensors = yield* Tensors.Tensors
          const optimizer = optimizers.sgd
          const patterns = Int32Array.of(0x7fc00001, 0x7f800001, -1, 0x7f800000, -0x800000, -0x80000000, 1, 0x007fffff)
          const data = new Float32Array(patterns.buffer)
          const fresh = yield* optimizer.init({ w: data })
          const leaf = yield* tensors.make({ shape: [8], data })
          const state = new OptimizerState.OptimizerState(fresh.treeDef, fresh.subtreeDefs, [leaf])
          const target = { optimizer, params: { w: data } }
          const { leaves } = yield* Checkpoint.take({ optimizer, step: 0, state })
          const bytes = yield* Checkpoint.encode({ optimizer, step: 0, state })
          const text = yield* Checkpoint.encodeJson({ optimizer, step: 0, state })
          assert.deepStrictEqual(
            leaves.map((host) => [...new Int32Array(host.data.buffer, host.data.byteOffset, 8)]),
            [[...patterns]]
          )
          assert.deepStrictEqual(bits((yield* Checkpoint.decode(bytes, target)).state), [[...patterns]])
          assert.deepStrictEqual(bits((yield* Checkpoint.decodeJson(text, target)).state), [[...patterns]])
        })
      )
    })
  })
}
