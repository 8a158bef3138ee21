/** States of optimizers that were made of transforms: tensors and numbers beside the parameters. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Optimizer, OptimizerState, Tensors, Train, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import { KeyPath, PyTree } from "@optim/pytree"
import { Checkpoint, CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { changed, faultsIn } from "./checkpoints.ts"
import { bits, composed, forEachComposed, type Model, params, train } from "./runs.ts"

const { adamw, injectHyperparams, multiSteps } = composed

/** A state of `adamw` with these numbers in the place of its counters. */
const withNumbers = Effect.fnUntraced(function* (...numbers: ReadonlyArray<number>) {
  const state = yield* adamw.init(params())
  const held = OptimizerState.held(state)
  if (held === undefined) throw new Error("adamw remembers something")
  const next = numbers[Symbol.iterator]()
  const given = held.numbers.map((number): number | undefined => (number === undefined ? number : next.next().value))
  const { leaves, subtreeDefs, treeDef } = state
  const other = { treeDef: held.treeDef, numbers: given }
  return new OptimizerState.OptimizerState(treeDef, subtreeDefs, leaves, other)
})

const special = [Number.NaN, -0, Number.MIN_VALUE]

for (const [backend, tensors] of [
  ["cpu", Cpu.layer],
  ["wasm", Wasm.layer]
] as const) {
  describe(`numbers on ${backend}`, () => {
    layer(Layer.mergeAll(tensors, NodeServices.layer), { excludeTestServices: true })((it) => {
      forEachComposed((name, optimizer) => {
        // Of the four gradients of multiSteps, two are gathered at step 50.
        it.effect(`${name}: 50 steps, save, load and 50 steps are 100 steps, bit for bit`, () =>
          Effect.gen(function* () {
            const fs = yield* FileSystem.FileSystem
            const path = `${yield* fs.makeTempDirectoryScoped()}/run.safetensors`
            const half = yield* train(optimizer, yield* optimizer.init(params()), 0, 50)
            const text = yield* Checkpoint.encodeJson({ optimizer, step: 50, state: half })
            yield* Checkpoint.save(path, { optimizer, step: 50, state: half })
            const manager = yield* CheckpointManager.make({ items: { state: Item.state(optimizer, params()) } })
            yield* manager.save(50, { state: half })
            const whole = bits(yield* train(optimizer, half, 50, 100)) // written over while it is saved

            const fromFile = yield* Checkpoint.load(path, { optimizer, params: params() })
            assert.deepStrictEqual(bits(yield* train(optimizer, fromFile.state, fromFile.step, 100)), whole)
            const fromText = yield* Checkpoint.decodeJson(text, { optimizer, params: params() })
            assert.deepStrictEqual(bits(yield* train(optimizer, fromText.state, fromText.step, 100)), whole)
            yield* manager.flush
            const { items, step } = yield* manager.restore()
            assert.deepStrictEqual(bits(yield* train(optimizer, items.state, step, 100)), whole)
          }).pipe(Effect.scoped, Effect.provide(CheckpointStore.layerMemory))
        )
      })

      it.effect("numbers are kept exactly: NaN, −0 and the smallest one", () =>
        Effect.gen(function* () {
          const state = yield* withNumbers(...special)
          const run = { optimizer: adamw, step: 1, state }
          const target = { optimizer: adamw, params: params() }
          const counts = (from: typeof state) => OptimizerState.transform(from).map(({ count }) => count)
          const found = [
            counts((yield* Checkpoint.decode(yield* Checkpoint.encode(run), target)).state),
            counts((yield* Checkpoint.decodeJson(yield* Checkpoint.encodeJson(run), target)).state)
          ]
          for (const numbers of found)
            assert.isTrue(numbers.every((number, index) => Object.is(number, special[index])))
        })
      )

      it.effect("what is restored are tensors of its own, and nothing is left of a restore that fails", () =>
        Effect.gen(function* () {
          const host = yield* Tensors.Tensors
          const model = params()
          const state = yield* adamw.init(model)
          const bytes = yield* Checkpoint.encode({ optimizer: adamw, step: 0, state })
          const before = yield* host.memory
          const resumed = yield* Checkpoint.decode(bytes, { optimizer: adamw, params: model })
          assert.strictEqual((yield* host.memory).tensors, before.tensors + state.leaves.length)
          yield* Tensors.dispose(yield* train(adamw, resumed.state, 0, 3))
          yield* Effect.flip(Checkpoint.decode(bytes, { optimizer: multiSteps, params: model }))
          assert.strictEqual((yield* host.memory).tensors, before.tensors)
          yield* Tensors.dispose([state, model])
        })
      )
    })
  })
}

describe("cases", () => {
  layer(Cpu.layer)("with tensors", (it) => {
    const like = { w: Float32Array.of(1, 2), b: 0 }

    it.effect("restore names every slot and number of another optimizer", () =>
      Effect.gen(function* () {
        const adam = Optimizer.fromTransform(Transform.adam({ learningRate: 0.1 }))
        const lion = Optimizer.fromTransform(Transform.lion({ learningRate: 0.1, weightDecay: 0.1 }))
        const saved = yield* Checkpoint.take({ optimizer: adam, step: 1, state: yield* adam.init(like) })
        const error = yield* Effect.flip(Checkpoint.restore(saved, { optimizer: lion, params: like }))
        assert.strictEqual(
          error.message,
          [
            "Checkpoint.restore: the checkpoint does not fit",
            "  optimizer                  expected lion       found adam",
            "  .transform[2]['count']     expected a number   found nothing",
            "  .transform[0]['nu']['b']   expected nothing    found float32 []",
            "  .transform[0]['nu']['w']   expected nothing    found float32 [2]",
            "Make the optimizer and the parameters as they were made for the run that wrote it."
          ].join("\n")
        )
      })
    )

    it.effect("restore names what a transform has and the seed's optimizer has not, and the other way round", () =>
      Effect.gen(function* () {
        const seed = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
        const sgd = Optimizer.fromTransform(Transform.sgd({ learningRate: 0.1, momentum: 0.9 }))
        const one = { w: 1 }
        const ofSeed = yield* Checkpoint.take({ optimizer: seed, step: 1, state: yield* seed.init(one) })
        const ofSgd = yield* Checkpoint.take({ optimizer: sgd, step: 1, state: yield* sgd.init(one) })
        assert.deepStrictEqual(
          faultsIn(yield* Effect.flip(Checkpoint.restore(ofSeed, { optimizer: sgd, params: one }))),
          [
            ["optimizer", "sgd", "momentum"],
            ["['w']", "float32 []", "nothing"],
            [".transform[0]['trace']['w']", "float32 []", "nothing"],
            [".transform[1]['count']", "a number", "nothing"],
            ["['w'] slot v", "nothing", "float32 []"],
            ["['w'] slot x", "nothing", "float32 []"]
          ]
        )
        assert.deepStrictEqual(
          faultsIn(yield* Effect.flip(Checkpoint.restore(ofSgd, { optimizer: seed, params: one }))).length,
          6
        )
      })
    )

    it.effect("restore tells a number from a tensor, and structures without either", () =>
      Effect.gen(function* () {
        const optimizer = Optimizer.fromTransform(Transform.sgd({ learningRate: 0.1 }))
        const saved = yield* Checkpoint.take({ optimizer, step: 1, state: yield* optimizer.init({ w: 1 }) })
        const restore = (fields: Partial<Checkpoint.Checkpoint>) =>
          Checkpoint.restore(changed(saved, fields), { optimizer, params: { w: 1 } }).pipe(
            Effect.flip,
            Effect.map(faultsIn)
          )
        const held = saved.transform
        if (held === undefined) throw new Error("it has a transform")
        const host = { shape: [], data: Float32Array.of(1) }
        const tensor = { transform: { ...held, numbers: [undefined] }, leaves: [...saved.leaves, host] }
        assert.deepStrictEqual(yield* restore(tensor), [[".transform[1]['count']", "a number", "float32 []"]])
        const other = { treeDef: PyTree.structure([{}, { count: 1 }]), numbers: [0] }
        assert.deepStrictEqual(yield* restore({ transform: other }), [
          [
            "structure",
            "PyTreeDef({'w': *}), PyTreeDef(*), PyTreeDef([None, {'count': *}])",
            "PyTreeDef({'w': *}), PyTreeDef(*), PyTreeDef([{}, {'count': *}])"
          ]
        ])
      })
    )

    it.effect("take fails when the state is that of another transform", () =>
      Effect.gen(function* () {
        const state: unknown = yield* composed.sgd.init(params())
        // the types forbid it, a program that loads its state from elsewhere may do it
        const other = state as Parameters<typeof adamw.params<Model>>[0]
        const error = yield* Effect.flip(Checkpoint.take({ optimizer: adamw, step: 1, state: other }))
        assert.strictEqual(error._tag, "StructureMismatch")
      })
    )

    it.effect("take names the tensors that were disposed", () =>
      Effect.gen(function* () {
        const state = yield* adamw.init({ w: 1, b: 2 })
        for (const index of [1, 2, 5]) state.leaves[index]?.dispose()
        const error = yield* Effect.flip(Checkpoint.take({ optimizer: adamw, step: 1, state }))
        assert.deepStrictEqual("paths" in error ? error.paths : [], [
          "['w']",
          ".transform[0]['mu']['b']",
          ".transform[0]['nu']['w']"
        ])
      })
    )

    it.effect("an optimizer that needs the loss is saved like any other", () =>
      Effect.gen(function* () {
        const needy = Optimizer.fromTransform<null, "value">({
          name: "needy",
          hyperParameters: {},
          needs: { value: "needy" },
          init: () => null,
          update: (updates, state) => ({ updates, state })
        })
        const state = yield* needy.update(0, { w: 1 }, yield* needy.init({ w: 1 }), { value: 3 })
        const bytes = yield* Checkpoint.encode({ optimizer: needy, step: 1, state })
        const resumed = yield* Checkpoint.decode(bytes, { optimizer: needy, params: { w: 0 } })
        assert.deepStrictEqual(needy.params(resumed.state).w.dataSync(), Float32Array.of(2))
      })
    )

    it.effect("a rate that was set is saved, and goes on", () =>
      Effect.gen(function* () {
        const state = yield* train(injectHyperparams, yield* injectHyperparams.init(params()), 0, 3)
        const slower = PyTree.mapWithPath(state, (path, leaf: unknown) =>
          KeyPath.keystr(path).endsWith("['learningRate']") ? 0.001 : leaf
        ) as typeof state
        const saved = yield* Checkpoint.encode({ optimizer: injectHyperparams, step: 3, state: slower })
        const resumed = yield* Checkpoint.decode(saved, { optimizer: injectHyperparams, params: params() })
        assert.strictEqual(OptimizerState.transform(resumed.state)[1].hyperparams.learningRate, 0.001)
        const rest = bits(yield* train(injectHyperparams, resumed.state, 3, 9))
        assert.deepStrictEqual(rest, bits(yield* train(injectHyperparams, slower, 3, 9)))
      })
    )

    it.effect("training saves it with a manager, and goes on from there", () =>
      Effect.gen(function* () {
        const start = { params: { w: 0 } }
        const options = {
          optimizer: multiSteps,
          loss: ({ w }: { readonly w: tf.Scalar }, target: number) => tf.squaredDifference(w, target),
          batches: Stream.make(1, 2, 3, 4, 5)
        }
        const manager = yield* CheckpointManager.make({ items: { state: Item.state(multiSteps, start.params) } })
        const trainer = yield* Train.make({
          ...start,
          ...options,
          checkpoints: { manager, values: ({ state }) => ({ state }) }
        })
        yield* Stream.runDrain(trainer.steps)
        const snapshot = yield* trainer.snapshot
        yield* manager.flush
        const { items, step } = yield* manager.restore()
        assert.strictEqual(step, 5)
        assert.deepStrictEqual(bits(items.state), bits(snapshot.state))
        const { gradientStep, miniStep } = OptimizerState.transform(snapshot.state)
        assert.deepStrictEqual([gradientStep, miniStep], [1, 1])

        const more = { ...options, batches: Stream.make(6, 7, 8) }
        const whole = yield* Train.make({ ...snapshot, ...more })
        const resumed = yield* Train.make({ state: items.state, step, ...more })
        yield* Effect.forEach([whole, resumed], ({ steps }) => Stream.runDrain(steps))
        assert.deepStrictEqual(bits(yield* resumed.state), bits(yield* whole.state))
      }).pipe(Effect.scoped, Effect.provide(CheckpointStore.layerMemory))
    )

    it.effect("the file that a manager writes is one that load reads", () =>
      Effect.gen(function* () {
        const state = yield* train(adamw, yield* adamw.init(params()), 0, 2)
        const manager = yield* CheckpointManager.make({ items: { state: Item.state(adamw, params()) } })
        yield* manager.save(2, { state })
        yield* manager.flush
        const store = yield* CheckpointStore.CheckpointStore
        const name = (yield* store.list).find((name) => name.endsWith("/state.safetensors")) ?? ""
        const { read, size } = yield* store.open(name)
        const bytes = new Uint8Array(size)
        yield* read(0, bytes)
        const resumed = yield* Checkpoint.decode(bytes, { optimizer: adamw, params: params() })
        assert.deepStrictEqual([resumed.step, bits(resumed.state)], [2, bits(state)])
      }).pipe(Effect.scoped, Effect.provide(CheckpointStore.layerMemory))
    )

    it.effect("a part of it is restored, the rest is what the optimizer begins with", () =>
      Effect.gen(function* () {
        const host = yield* Tensors.Tensors
        const adam = Optimizer.fromTransform(Transform.adam({ learningRate: 0.1 }))
        const lion = Optimizer.fromTransform(Transform.lion({ learningRate: 0.1 }))
        const state = yield* adam.update(0, { w: 4, b: 2 }, yield* adam.init({ w: 1, b: 1 }))
        const writer = yield* CheckpointManager.make({ items: { state: Item.state(adam, { w: 0, b: 0 }) } })
        yield* writer.save(1, { state })
        yield* writer.flush
        const reader = yield* CheckpointManager.make({
          items: { state: Item.state(lion, { w: 7, b: 7 }) },
          readOnly: true
        })
        const strict = yield* Effect.flip(reader.restore())
        assert.strictEqual(
          strict.message,
          [
            "CheckpointManager.restore: the checkpoint does not fit",
            "  state: optimizer                expected lion       found adam",
            "  state.transform[2]['count']     expected a number   found nothing",
            "  state.transform[0]['nu']['b']   expected nothing    found float32 []",
            "  state.transform[0]['nu']['w']   expected nothing    found float32 []",
            "Make the items as they were made for the run that wrote it, or restore a part: `items`, `only`, `missing`, `unexpected`."
          ].join("\n")
        )
        const before = yield* host.memory
        const { items } = yield* reader.restore({
          unexpected: "ignore",
          missing: "keep",
          rename: { "transform/2.count": "transform/1.count" },
          only: ({ name }) => name !== "b" && name !== "transform/0.mu.b"
        })
        assert.strictEqual((yield* host.memory).tensors, before.tensors + 4)
        const [{ count, mu }, , rate] = OptimizerState.transform(items.state)
        const { b, w } = lion.params(items.state)
        assert.deepStrictEqual([count, rate.count], [1, 1])
        assert.deepStrictEqual(
          [b, w, mu.b, mu.w].map((tensor) => tensor.dataSync()[0]),
          [7, adam.params(state).w.dataSync()[0], 0, Math.fround(0.4)]
        )
        yield* Tensors.dispose([items.state, state])
      }).pipe(Effect.scoped, Effect.provide(CheckpointStore.layerMemory))
    )
  })
})
