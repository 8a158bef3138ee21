/**
 * What only graphics processors have: passes and dispatches that can be counted, devices that go away or are not there,
 * and insides of tfjs that we reach into.
 */
import { assert, it, layer } from "@effect/vitest"
import { Expr, Optimizer, Plan, Program, Tensors } from "@optim/core"
import * as FirstAvailable from "@optim/core/firstAvailable"
import * as WebGL from "@optim/core/webgl"
import * as WebGPU from "@optim/core/webgpu"
import { version_webgl } from "@tensorflow/tfjs-backend-webgl"
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, vi } from "vitest"
import { Executor } from "../src/internal/gpu/execute.ts"
import { lower } from "../src/internal/gpu/lower.ts"
import { make } from "../src/internal/tfjs/service.ts"
import { WebGLDevice } from "../src/internal/webgl/device.ts"
import { findTextures } from "../src/internal/webgl/textures.ts"
import { findBuffers } from "../src/internal/webgpu/buffers.ts"
import { WebGPUDevice } from "../src/internal/webgpu/device.ts"
import { leavesNothing, memory } from "./support/memory.ts"
import { values } from "./support/numbers.ts"

const adam = Optimizer.adam({ stepSize: 0.1 })

const webglDevice = Effect.acquireRelease(
  Effect.sync(() => new WebGLDevice(findTextures() ?? assert.fail("the textures of tfjs are not there"))),
  (device) => Effect.sync(() => device.close())
)

const webgpuDevice = Effect.acquireRelease(
  Effect.sync(() => new WebGPUDevice(findBuffers() ?? assert.fail("the buffers of tfjs are not there"))),
  (device) => Effect.sync(() => device.close())
)

const serviceOn = (name: string, device: ConstructorParameters<typeof Executor>[0]): Tensors.Tensors["Service"] =>
  make({
    name,
    heapBytes: () => undefined,
    readsAtOnce: false,
    execution: "",
    execute: new Executor(device).execute
  })

/** Counts how often tfjs reads numbers back while an effect runs. */
const readBacks = Effect.fnUntraced(function* <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) {
  const backend = tf.findBackend(name)
  const spies = (["read", "readSync"] as const).map((method) => vi.spyOn(backend, method))
  yield* effect
  const calls = spies.reduce((all, spy) => all + spy.mock.calls.length, 0)
  for (const spy of spies) spy.mockRestore()
  return calls
})

const tree = (rows: number, columns: number, leaves = 1): ReadonlyArray<Tensor> =>
  Array.from({ length: leaves }, (_, leaf) =>
    tf.tensor2d(
      Array.from({ length: rows * columns }, (_, index) => Math.sin(index + leaf)),
      [rows, columns]
    )
  )

layer(WebGL.layer)("on WebGL", (it) => {
  it.effect(`the textures of tfjs ${version_webgl} are where we look for them`, () =>
    Effect.sync(() => {
      assert.strictEqual(version_webgl, "4.22.0")
      assert.isDefined(findTextures())
    })
  )

  it.effect("an Adam step is one pass for each leaf, with three results, and reads nothing back", () =>
    Effect.gen(function* () {
      const device = yield* webglDevice
      const service = serviceOn("webgl", device)
      const step = Effect.gen(function* () {
        let state = yield* adam.init(tree(6, 4, 5))
        for (let t = 0; t < 3; t++) state = yield* adam.update(t, tree(6, 4, 5), state, { donate: true })
        return state
      }).pipe(Effect.provideService(Tensors.Tensors, service))
      yield* step
      const before = { ...device.counts }
      const more = Effect.gen(function* () {
        const state = yield* step
        yield* Tensors.dispose(state)
      })
      assert.strictEqual(yield* readBacks("webgl", more), 0)
      assert.strictEqual(device.counts.conversions, 0)
      // All slots begin as the same zeros, which one pass makes.
      assert.strictEqual(device.counts.passes - before.passes, 3 * 5 + 1)
    }).pipe(Effect.scoped)
  )

  it.effect("what lies beyond an odd edge stays 0, as tfjs' products need it", () =>
    Effect.gen(function* () {
      const { run } = yield* Tensors.Tensors
      const shift = Optimizer.leafwise(() => ({
        init: (x) => x,
        update: (_, g, x) => Expr.sub(Expr.add(x, 5), g),
        params: (x) => x
      }))()
      const ones = yield* run(() => tf.ones([3, 5]))
      const state = yield* shift.update(0, ones, yield* shift.init(ones))
      const product = yield* run(() => tf.matMul(shift.params(state), tf.ones([5, 3])))
      assert.deepStrictEqual(yield* values(product), [Array.from({ length: 9 }, () => 25)])
      yield* Tensors.dispose([ones, state, product])
    })
  )

  it.effect("16-bit floats are refused, unless they are allowed", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.gen(function* () {
        tf.env().set("WEBGL_FORCE_F16_TEXTURES", true)
        tf.env().set("WEBGL_RENDER_FLOAT32_ENABLED", false)
        const error = yield* Effect.flip(Effect.provide(Tensors.Tensors, Layer.fresh(WebGL.layer)))
        const allowed = yield* Effect.provide(Tensors.Tensors, WebGL.layerWith({ allowFloat16: true }))
        return { message: error.message, allowed: allowed.backend }
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            tf.env().set("WEBGL_FORCE_F16_TEXTURES", false)
            tf.env().set("WEBGL_RENDER_FLOAT32_ENABLED", true)
          })
        )
      )
      assert.deepStrictEqual(refused, {
        message:
          "The tfjs backend 'webgl' is not available: this device draws 16-bit floats only, in which an optimizer's state goes wrong; take another layer, or pass { allowFloat16: true }",
        allowed: "webgl"
      })
    })
  )
})

layer(WebGPU.layer)("on WebGPU", (it) => {
  it.effect("the buffers of tfjs 4.22.0 are where we look for them", () =>
    Effect.sync(() => {
      assert.strictEqual(tf.version_core, "4.22.0")
      assert.instanceOf(tf.findBackend("webgpu"), WebGPUBackend)
      assert.isDefined(findBuffers())
    })
  )

  it.effect("an Adam step is one dispatch for several leaves, in place, and reads nothing back", () =>
    Effect.gen(function* () {
      const device = yield* webgpuDevice
      const service = serviceOn("webgpu", device)
      const perDispatch = Math.floor(device.limits.tensors / 4)
      const leaves = 2 * perDispatch
      yield* Effect.gen(function* () {
        let state = yield* adam.init(tree(6, 4, leaves))
        state = yield* adam.update(0, tree(6, 4, leaves), state, { donate: true })
        const before = { ...device.counts, memory: yield* memory }
        const steps = Effect.gen(function* () {
          for (let t = 1; t < 4; t++) state = yield* adam.update(t, tree(6, 4, leaves), state, { donate: true })
        })
        assert.strictEqual(yield* readBacks("webgpu", steps), 0)
        assert.strictEqual(device.counts.submissions - before.submissions, 3)
        assert.strictEqual(device.counts.dispatches - before.dispatches, 3 * 2)
        assert.strictEqual(device.counts.bytesWritten - before.bytesWritten, 3 * leaves * 3 * 24 * 4)
        assert.deepStrictEqual(yield* memory, before.memory)
        yield* Tensors.dispose(state)
      }).pipe(Effect.provideService(Tensors.Tensors, service))
    }).pipe(Effect.scoped)
  )
})

describe("kernels that read more tensors than a pass can", () => {
  const spec = { shape: [2, 3], dtype: "float32" } as const
  const inputs = Array.from({ length: 40 }, (_, index) => Expr.input(index, spec))
  const [first = Expr.full(spec, 0)] = inputs
  const sum = inputs.reduce((all, input) => Expr.add(all, Expr.where(Expr.greater(input, 0), input, 1)))
  const masks = inputs.map((input) => Expr.greater(input, 0)).reduce(Expr.and)
  const plan = Plan.make(
    Program.make(
      inputs.map(() => spec),
      [sum, Expr.where(masks, first, sum), Expr.sum(sum)]
    )
  )

  it("are cut, and no pass reads more", () => {
    const limits = { inputs: 7, results: 3, tensors: 8 }
    const { steps } = lower(plan, limits)
    const passes = steps.flatMap((step) => (step._tag === "Passes" ? step.passes : []))
    assert.isAbove(passes.length, 5)
    for (const { inputs, results } of passes) {
      assert.isAtMost(inputs.length, limits.inputs)
      assert.isAtMost(inputs.length + results.length, limits.tensors)
    }
  })

  for (const [name, backend] of [
    ["WebGL", WebGL.layer],
    ["WebGPU", WebGPU.layer]
  ] as const) {
    layer(backend)(`on ${name}`, (it) => {
      it.effect("give the same numbers", () =>
        leavesNothing(
          Effect.gen(function* () {
            const tensors = yield* Tensors.Tensors
            const numbers = Float32Array.of(1, 2, 3, -1, 0.5, 4)
            const made = yield* Effect.forEach(inputs, () =>
              Tensors.scoped(tensors.make({ shape: spec.shape, data: numbers }))
            )
            const execution = { plan, inputs: made, scalars: new Float64Array(plan.program.scalars.length) }
            const scalars = Program.evaluateScalars(plan.program, [])
            const outputs = yield* Tensors.scoped(
              tensors.execute({ ...execution, scalars, donatedFrom: made.length, renewHandles: true })
            )
            const expected = [40, 80, 120, 38, 20, 160]
            assert.deepStrictEqual(yield* values(outputs), [expected, [1, 2, 3, 38, 0.5, 4], [458]])
          })
        )
      )
    })
  }
})

describe("the first available", () => {
  it.effect("is WebGPU here, and says so", () =>
    Effect.gen(function* () {
      const { backend, execution } = yield* Effect.provide(Tensors.Tensors, FirstAvailable.layer)
      assert.strictEqual(backend, "webgpu")
      assert.strictEqual(
        execution,
        "fused kernels as WebGPU compute shaders, in place where donated (the first choice)"
      )
    })
  )

  it.effect("is the next one where there is no adapter, and says why", () =>
    Effect.gen(function* () {
      delete tf.engine().registry["webgpu"]
      const adapter = vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(null)
      const alone = yield* Effect.flip(Effect.provide(Tensors.Tensors, WebGPU.layer))
      const { backend, execution } = yield* Effect.provide(Tensors.Tensors, FirstAvailable.layer)
      const none = yield* Effect.flip(Effect.provide(Tensors.Tensors, FirstAvailable.layerWith({ order: ["webgpu"] })))
      adapter.mockRestore()
      const reason = "the browser has WebGPU, but no adapter for it (requestAdapter gave null)"
      assert.strictEqual(alone.message, `The tfjs backend 'webgpu' is not available: ${reason}`)
      assert.strictEqual(backend, "webgl")
      assert.strictEqual(execution, `fused kernels as WebGL fragment programs (not webgpu: ${reason})`)
      assert.strictEqual(none.message, `The tfjs backend 'webgpu' is not available: webgpu: ${reason}`)
    })
  )
})

describe("a device that goes away", () => {
  const loseWebGL = Effect.promise(async () => {
    const { gl } = findTextures() ?? assert.fail("no textures")
    gl.getExtension("WEBGL_lose_context")?.loseContext()
  })
  const loseWebGPU = Effect.promise(async () => {
    const { device } = findBuffers() ?? assert.fail("no buffers")
    device.destroy()
    await device.lost
  })

  for (const [name, backend, lose] of [
    ["webgl", WebGL.layer, loseWebGL],
    ["webgpu", WebGPU.layer, loseWebGPU]
  ] as const) {
    it.effect(`is a typed error on ${name}, and a state of before goes on in a new layer`, () =>
      Effect.gen(function* () {
        const params = yield* Effect.gen(function* () {
          const state = yield* adam.init(Float32Array.of(1, 2, 3))
          const [numbers = []] = yield* values(adam.params(state))
          yield* lose
          const grads = Float32Array.of(1, 1, 1)
          const { read } = yield* Tensors.Tensors
          const errors = [
            yield* Effect.flip(adam.update(0, grads, state)),
            yield* Effect.flip(adam.init(grads)),
            yield* Effect.flip(read(adam.params(state)))
          ]
          assert.deepStrictEqual(
            errors.map(({ _tag }) => _tag),
            ["BackendLost", "BackendLost", "BackendLost"]
          )
          return Float32Array.from(numbers)
        }).pipe(Effect.provide(backend))
        const next = yield* Effect.gen(function* () {
          const state = yield* adam.update(0, Float32Array.of(1, 1, 1), yield* adam.init(params))
          return yield* values(adam.params(state))
        }).pipe(Effect.provide(backend))
        next[0]?.forEach((x, index) => assert.approximately(x, index + 0.9, 1e-6))
      })
    )
  }
})
