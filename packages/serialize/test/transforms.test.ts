/** States of optimizers that were made of transforms: tensors and numbers beside the parameters. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Optimizer, OptimizerState, Tensors, Train, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import {
  Checkpoint,
  CheckpointManager,
  CheckpointMismatch,
  CheckpointStore,
  InvalidCheckpoint,
  InvalidSafetensors,
  Item,
  Safetensors
} from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { bits, composed, forEachComposed, type Model, params, train } from "./runs.ts"
import { messageOf, thrown } from "./support.ts"

const { adamw, injectHyperparams, multiSteps } = composed

const faultsIn = (error: unknown): ReadonlyArray<ReadonlyArray<string>> => {
  if (error instanceof CheckpointMismatch || error instanceof InvalidCheckpoint)
    return error.faults.map(({ expected, found, path }) => [path, expected, found])
  throw error
}

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

/** A checkpoint of a small state: two parameters, and what a chain remembers of them. */
const small = Effect.gen(function* () {
  const optimizer = Optimizer.fromTransform(
    Transform.chain(
      Transform.masked(Transform.scaleByAdam(), { b: false, w: true }),
      Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 0.1 })
    )
  )
  return yield* Checkpoint.take({ optimizer, step: 3, state: yield* optimizer.init({ w: 1, b: 2 }) })
}).pipe(Effect.provide(Cpu.layer))

const checkpoint = await Effect.runPromise(small)

/** The same checkpoint with other fields. */
const changed = (
  { leaves, metadata, optimizer, step, subtreeDefs, transform, treeDef }: Checkpoint.Checkpoint,
  fields: Partial<Checkpoint.Checkpoint>
): Checkpoint.Checkpoint =>
  new Checkpoint.Checkpoint({ step, optimizer, metadata, treeDef, subtreeDefs, leaves, transform, ...fields })

const manifestOf = (bytes: Uint8Array): Record<string, unknown> =>
  JSON.parse(Safetensors.decode(bytes).metadata["optim"] ?? "") as Record<string, unknown>

/** The file of the checkpoint with another manifest, and other tensors. */
const edited = (
  edit: Record<string, unknown>,
  change: (entry: Safetensors.Entry) => Safetensors.Entry = (entry) => entry
): Uint8Array => {
  const bytes = Checkpoint.toBytes(checkpoint)
  const { tensors } = Safetensors.decode(bytes)
  return Safetensors.encode({
    tensors: tensors.map(change),
    metadata: { optim: JSON.stringify({ ...manifestOf(bytes), ...edit }) }
  })
}

const total = (read: () => unknown): boolean => {
  try {
    return Checkpoint.isCheckpoint(read())
  } catch (error) {
    return error instanceof InvalidSafetensors || error instanceof InvalidCheckpoint
  }
}

describe("laws", () => {
  it("any numbers come back from bytes and from JSON", () => {
    fc.assert(
      fc.property(fc.tuple(fc.double(), fc.double(), fc.double(), fc.double()), (found) => {
        const { transform } = checkpoint
        if (transform === undefined) throw new Error("it has a transform")
        const next = found[Symbol.iterator]()
        const other = transform.numbers.map((number) => (number === undefined ? undefined : next.next().value))
        const written = changed(checkpoint, { transform: { ...transform, numbers: other } })
        for (const back of [
          Checkpoint.fromBytes(Checkpoint.toBytes(written)),
          Checkpoint.fromJson(Checkpoint.toJson(written))
        ]) {
          assert.isTrue(Equal.equals(back.transform?.treeDef, transform.treeDef))
          assert.deepStrictEqual(back.transform?.numbers, other)
          assert.deepStrictEqual(back.leaves, checkpoint.leaves)
        }
      })
    )
  })

  it("a file that was changed somewhere is a checkpoint or a typed error", () => {
    const seed = Checkpoint.toBytes(checkpoint)
    const edits = fc.array(fc.tuple(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4
    })
    const law = fc.property(edits, (edits) => {
      const bytes = seed.slice()
      for (const [at, value] of edits) bytes[at] = value
      return total(() => Checkpoint.fromBytes(bytes))
    })
    assert.isFalse(fc.check(law, { numRuns: 2000 }).failed)
  })

  it("any JSON as the structure of the transform is a checkpoint or a typed error", () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.constantFrom<unknown>("*", null, 0, 1, 2, -1, 1e9, ["a"], ["a", "b"], { arity: 2 }), {
        maxLength: 8
      })
    )
    const law = fc.property(json, (transform) => total(() => Checkpoint.fromBytes(edited({ transform }))))
    assert.isFalse(fc.check(law, { numRuns: 1000 }).failed)
  })
})

describe("cases", () => {
  it("tensors and numbers of the transform are named by their paths, behind the parameters", () => {
    const { tensors } = Safetensors.decode(Checkpoint.toBytes(checkpoint))
    assert.deepStrictEqual(
      tensors.map(({ dtype, name, shape }) => [name, dtype, shape]),
      [
        ["transform/0.innerState.count", "F64", []],
        ["transform/1.count", "F64", []],
        ["transform/1.hyperparams.learningRate", "F64", []],
        ["transform/1.innerState.count", "F64", []],
        ["b", "F32", []],
        ["transform/0.innerState.mu.w", "F32", []],
        ["transform/0.innerState.nu.w", "F32", []],
        ["w", "F32", []]
      ]
    )
  })

  it("the manifest has the structure", () => {
    const { transform } = manifestOf(Checkpoint.toBytes(checkpoint))
    const masked = [["b", "w"], null, "*"]
    assert.deepStrictEqual(transform, [
      2,
      ["innerState"],
      ["count", "mu", "nu"],
      "*",
      ...masked,
      ...masked,
      ["count", "hyperparams", "innerState"],
      "*",
      ["learningRate"],
      "*",
      ["count"],
      "*"
    ])
  })

  it("a parameter keeps its name where the transform has something of the same name", () => {
    const treeDef = PyTree.structure({ "transform/count": 1, transform: 1 })
    const leaf = TreeDef.leaf
    const names = (transform: unknown, numbers: ReadonlyArray<number>) => {
      const held = { treeDef: PyTree.structure(transform), numbers }
      const host = { shape: [], data: Float32Array.of(1) }
      const fields = { treeDef, subtreeDefs: [leaf, leaf], leaves: [host, host], transform: held }
      const bytes = Checkpoint.toBytes(changed(checkpoint, fields))
      assert.deepStrictEqual(Checkpoint.fromBytes(bytes).transform?.numbers, numbers)
      return Safetensors.decode(bytes).tensors.map(({ name }) => name)
    }
    assert.deepStrictEqual(names({ count: 1 }, [1]), ["transform/count#2", "transform", "transform/count"])
    assert.deepStrictEqual(names(1, [1]), ["transform#2", "transform", "transform/count"])
  })

  it("a file without a transform is read as before", () => {
    const { transform: _, ...manifest } = manifestOf(Checkpoint.toBytes(checkpoint))
    const { tensors } = Safetensors.decode(Checkpoint.toBytes(checkpoint))
    const own = tensors.filter(({ name }) => !name.startsWith("transform/"))
    const old = Safetensors.encode({ tensors: own, metadata: { optim: JSON.stringify(manifest) } })
    assert.deepStrictEqual(Checkpoint.fromBytes(old).leaves, checkpoint.leaves.slice(0, 2))
    assert.strictEqual(Checkpoint.fromBytes(old).transform, undefined)
  })

  it("fromBytes fails on missing and unexpected numbers, and on numbers that are lists", () => {
    const count = "transform/1.count"
    const renamed = edited({}, (entry) => (entry.name === count ? { ...entry, name: "count" } : entry))
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(renamed))), [
      [`"${count}"`, "a tensor", "nothing"],
      ['"count"', "nothing", "F64 []"]
    ])
    const list = edited({}, (entry) => (entry.name === count ? { ...entry, shape: [1] } : entry))
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(list))), [
      [`"${count}"`, "F32, I32, BOOL", "F64 [1]"]
    ])
    const parameter = edited({}, (entry) =>
      entry.name === "b" ? { ...entry, dtype: "F64", bytes: new Uint8Array(8) } : entry
    )
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(parameter))), [
      ['"b"', "F32, I32, BOOL", "F64 []"]
    ])
  })

  it("fromBytes names what is wrong with the structure", () => {
    const faults = (transform: unknown) => faultsIn(thrown(() => Checkpoint.fromBytes(edited({ transform }))))
    assert.deepStrictEqual(faults([["b", "a"], "*", "*"]), [
      ["manifest.transform.0", "distinct keys in ascending order", '["b","a"]']
    ])
    assert.deepStrictEqual(
      faults("*").map(([path]) => path),
      ["manifest.transform"]
    )
  })

  it("fromBytes does not write out the names of a transform that is out of proportion", () => {
    const levels = 20_000
    const chain = Array.from({ length: levels }, () => [["a".repeat(50), "b"]]).flat()
    const transform = [...chain, ...Array.from({ length: levels + 1 }, () => "*")]
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(edited({ transform })))), [
      ["manifest.tree", "the names of 8 tensors", "far more text"]
    ])
  })

  it("toBytes fails on tensors that are too few for the transform", () => {
    const fewer = changed(checkpoint, { leaves: checkpoint.leaves.slice(1) })
    assert.strictEqual(
      messageOf(() => Checkpoint.toBytes(fewer)),
      [
        "Checkpoint.toBytes: this cannot be written",
        "  leaves   expected 4 tensors   found 3",
        "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
      ].join("\n")
    )
  })

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
        const { transform } = checkpoint
        const optimizer = Optimizer.fromTransform(Transform.sgd({ learningRate: 0.1 }))
        const saved = yield* Checkpoint.take({ optimizer, step: 1, state: yield* optimizer.init({ w: 1 }) })
        const restore = (fields: Partial<Checkpoint.Checkpoint>) =>
          Checkpoint.restore(changed(saved, fields), { optimizer, params: { w: 1 } }).pipe(
            Effect.flip,
            Effect.map(faultsIn)
          )
        const held = saved.transform
        if (held === undefined || transform === undefined) throw new Error("both have a transform")
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
            "Make the optimizer and the parameters as they were made for the run that wrote it."
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
