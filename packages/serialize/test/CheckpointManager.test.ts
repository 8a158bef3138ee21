/** The manager: what it saves comes back, bit for bit; what is damaged does not; what fails is told. */
import { assert, describe, layer } from "@effect/vitest"
import { Optimizer, OptimizerState, Tensors, Train } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as Schedules from "@optim/schedules"
import { CheckpointManager, CheckpointStore, Item, Migrations, StoreError } from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { bits, forEachOptimizer, optimizers, params, train } from "./runs.ts"

const { CheckpointStore: Service } = CheckpointStore

const Position = Schema.Struct({ epoch: Schema.Int, note: Schema.String })

const numbers = (...values: ReadonlyArray<number>) => Float32Array.from(values)

const count = { items: { n: Item.json(Schema.Int) } }

/** A store whose operations may be replaced. */
const altered = (change: (real: CheckpointStore.Store) => Partial<CheckpointStore.Store>) =>
  Layer.effect(
    Service,
    Effect.map(Service, (real) => ({ ...real, ...change(real) }))
  ).pipe(Layer.provideMerge(CheckpointStore.layerMemory))

const injected = (reason: StoreError["reason"]) =>
  new StoreError({ operation: "put", name: "x", reason, detail: "injected" })

const readObject = (store: CheckpointStore.Store, name: string) =>
  Effect.gen(function* () {
    const { read, size } = yield* store.open(name)
    const bytes = new Uint8Array(size)
    yield* read(0, bytes)
    return bytes
  }).pipe(Effect.scoped)

const nameOf = (names: ReadonlyArray<string>, step: number, file: string) =>
  names.find((name) => name.startsWith(`step-${step}-`) && name.endsWith(`/${file}`)) ?? ""

/** Changes one byte in the middle of an object. */
const damage = Effect.fnUntraced(function* (store: CheckpointStore.Store, step: number, file: string) {
  const name = nameOf(yield* store.list, step, file)
  const bytes = yield* readObject(store, name)
  const at = bytes.length - 8
  bytes[at] = (bytes[at] ?? 0) ^ 1
  yield* store.put(name, Stream.make(bytes))
})

const withStore = <A, E>(
  effect: Effect.Effect<A, E, CheckpointStore.CheckpointStore | Tensors.Tensors | Scope.Scope>
) => Effect.scoped(effect).pipe(Effect.provide(CheckpointStore.layerMemory))

for (const [backend, tensors] of [
  ["cpu", Cpu.layer],
  ["wasm", Wasm.layer]
] as const) {
  describe(`numbers on ${backend}`, () => {
    layer(tensors, { excludeTestServices: true })((it) => {
      forEachOptimizer((optimizer) => {
        it.effect(`${optimizer.name}: a run that goes on from a checkpoint ends like one that never stopped`, () =>
          withStore(
            Effect.gen(function* () {
              const items = { state: Item.state(optimizer, params()), position: Item.json(Position) }
              const manager = yield* CheckpointManager.make({ items })
              const half = yield* train(optimizer, yield* optimizer.init(params()), 0, 10)
              yield* manager.save(10, { state: half, position: { epoch: 2, note: "half" } }, { metrics: { loss: 0.5 } })
              const whole = bits(yield* train(optimizer, half, 10, 20)) // written over while it is saved
              yield* manager.flush
              const found = yield* manager.restore()
              assert.deepStrictEqual([found.step, found.metrics, found.damaged], [10, { loss: 0.5 }, []])
              assert.deepStrictEqual(found.items.position, { epoch: 2, note: "half" })
              const state = yield* train(optimizer, found.items.state, found.step, 20)
              assert.deepStrictEqual(bits(state), whole)
            })
          )
        )
      })

      it.effect("trees: tensors, counters and arrays come back exactly, in files that name them", () =>
        withStore(
          Effect.gen(function* () {
            const host = yield* Tensors.Tensors
            const tree = {
              count: 2 ** 53 - 1,
              decay: -0,
              mu: { w: tf.tensor2d([1, NaN, -0, Infinity], [2, 2]), mask: tf.tensor1d([true, false], "bool") },
              list: [tf.scalar(7, "int32"), Float64Array.of(0.1), Int32Array.of(-5), Uint8Array.of(255)],
              none: null
            }
            const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) } })
            const before = yield* host.memory
            yield* manager.save(0, { tree })
            yield* manager.flush
            assert.strictEqual((yield* host.memory).tensors, before.tensors)
            const { items } = yield* manager.restore()
            assert.strictEqual((yield* host.memory).tensors, before.tensors + 3)
            assert.ok(Object.is(items.tree.decay, -0))
            assert.deepStrictEqual([items.tree.count, items.tree.none], [tree.count, null])
            assert.deepStrictEqual(items.tree.list.slice(1), tree.list.slice(1))
            assert.deepStrictEqual([...items.tree.mu.w.dataSync()], [1, NaN, -0, Infinity])
            assert.deepStrictEqual([items.tree.mu.mask.dtype, ...items.tree.mu.mask.dataSync()], ["bool", 1, 0])
            const { tensors } = (yield* manager.metadata(0)).items["tree"] ?? { tensors: [] }
            assert.deepStrictEqual(
              tensors.map(({ dtype, name, path }) => [name, dtype, path]),
              [
                ["count", "F64", "['count']"],
                ["decay", "F64", "['decay']"],
                ["list.1", "F64", "['list'][1]"],
                ["mu.w", "F32", "['mu']['w']"],
                ["list.0", "I32", "['list'][0]"],
                ["list.2", "I32", "['list'][2]"],
                ["list.3", "U8", "['list'][3]"],
                ["mu.mask", "BOOL", "['mu']['mask']"]
              ]
            )
            const part = yield* manager.readTensor(0, "tree", "list.2")
            assert.deepStrictEqual(part, {
              name: "list.2",
              dtype: "I32",
              shape: [1],
              bytes: Uint8Array.of(0xfb, 0xff, 0xff, 0xff)
            })
          })
        )
      )
    })
  })
}

describe("cases", () => {
  // damage is logged, too
  layer(Layer.merge(Cpu.layer, Logger.layer([])), { excludeTestServices: true })((it) => {
    it.effect("a damaged newest checkpoint is reported and passed over; nothing is left of what was begun", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* Service
          const host = yield* Tensors.Tensors
          const like = { a: tf.tensor1d([1, 2, 3]), b: tf.tensor1d([4, 5, 6]) }
          const options = { items: { tree: Item.tree(like) } }
          const manager = yield* CheckpointManager.make(options)
          for (const step of [1, 2, 3]) {
            yield* manager.save(step, { tree: { a: like.a, b: tf.tensor1d([step, step, step]) } })
            yield* manager.flush
          }
          yield* damage(store, 3, "tree.safetensors")
          yield* damage(store, 2, "manifest.json")
          const before = yield* host.memory
          const { damaged, items, step } = yield* manager.restore()
          assert.strictEqual((yield* host.memory).tensors, before.tensors + 2)
          assert.deepStrictEqual([step, ...items.tree.b.dataSync()], [1, 1, 1, 1])
          assert.deepStrictEqual(
            damaged.map((one) => [one.step, one.detail]),
            [
              [3, "tree.safetensors: the checksum of 'b' is not that of its bytes"],
              [2, "manifest.json: its checksum is not that of its text"]
            ]
          )
          assert.deepStrictEqual(yield* manager.steps, [1])
          const reader = yield* CheckpointManager.make({ ...options, readOnly: true })
          assert.deepStrictEqual(yield* reader.steps, [1, 3]) // tensors are not read before they are wanted
          const error = yield* Effect.flip(reader.restore({ at: 3 }))
          assert.strictEqual(
            error.message,
            [
              "CheckpointManager: the checkpoint of step 3 is damaged",
              `  ${"id" in error ? error.id : ""}   tree.safetensors: the checksum of 'b' is not that of its bytes`,
              "Restore another one: restore() takes the newest that is sound."
            ].join("\n")
          )
          yield* damage(store, 1, "tree.safetensors")
          const none = yield* Effect.flip(manager.restore())
          const ids = [...new Set((yield* store.list).map((name) => name.split("/")[0]))]
          const idOf = (step: number): string => ids.find((id) => id?.startsWith(`step-${step}-`)) ?? ""
          assert.strictEqual(
            none.message,
            [
              "CheckpointManager.restore: no checkpoint to restore in memory",
              "  wanted latest   there is none",
              `  ${idOf(3)}   tree.safetensors: the checksum of 'b' is not that of its bytes`,
              `  ${idOf(2)}   manifest.json: its checksum is not that of its text`,
              `  ${idOf(1)}   tree.safetensors: the checksum of 'b' is not that of its bytes`,
              "The listed ones are damaged."
            ].join("\n")
          )
        })
      )
    )

    it.effect("what does not fit is listed at once, over all items", () =>
      withStore(
        Effect.gen(function* () {
          const { adam, momentum } = optimizers
          const like = { w: numbers(1, 2), b: 0 }
          const writer = yield* CheckpointManager.make({
            items: {
              state: Item.state(adam, like),
              extra: Item.tree({ x: 1, y: numbers(1) }),
              n: Item.json(Schema.Int)
            }
          })
          yield* writer.save(4, { state: yield* adam.init(like), extra: { x: 1, y: numbers(1) }, n: 3 })
          yield* writer.flush
          const reader = yield* CheckpointManager.make({
            items: {
              state: Item.state(momentum, { w: numbers(1, 2, 3), b: 0 }),
              extra: Item.tree({ x: numbers(1), z: 2 }),
              n: Item.json(Schema.Struct({ a: Schema.String })),
              more: Item.json(Schema.Int)
            },
            readOnly: true
          })
          const error = yield* Effect.flip(reader.restore())
          assert.strictEqual(
            error.message,
            [
              "CheckpointManager.restore: the checkpoint does not fit",
              "  state: optimizer    expected momentum      found adam",
              "  n                   expected object        found 3",
              "  more                expected an item       found only state, extra, n",
              "  state['w'] slot v   expected float32 [3]   found float32 [2]",
              "  state['w'] slot x   expected float32 [3]   found float32 [2]",
              "  state['b'] slot m   expected nothing       found float32 []",
              "  state['w'] slot m   expected nothing       found float32 [2]",
              "  extra['x']          expected float32 [1]   found a number",
              "  extra['z']          expected a number      found nothing",
              "  extra['y']          expected nothing       found float32 [1]",
              "Make the items as they were made for the run that wrote it, or restore a part: `items`, `only`, `missing`, `unexpected`."
            ].join("\n")
          )
        })
      )
    )

    it.effect("part of a checkpoint, under other names and in other types, where that is asked for", () =>
      withStore(
        Effect.gen(function* () {
          const host = yield* Tensors.Tensors
          const saved = { encoder: { w: numbers(1, 2, 3, 4), b: Int32Array.of(5) }, head: { w: numbers(9) } }
          const writer = yield* CheckpointManager.make({
            items: { params: Item.tree(saved), n: Item.json(Schema.Int) }
          })
          yield* writer.save(1, { params: saved, n: 1 })
          yield* writer.flush
          const like = { body: { w: tf.zeros([2, 2]), b: Float32Array.of(0) }, head: { w: tf.tensor1d([7, 7]) } }
          const reader = yield* CheckpointManager.make({
            items: { params: Item.tree(like), n: Item.json(Schema.Int) },
            readOnly: true
          })
          const strict = yield* Effect.flip(reader.restore())
          assert.strictEqual("faults" in strict ? strict.faults.length : 0, 5)
          const before = yield* host.memory
          const { items } = yield* reader.restore({
            items: ["params"],
            rename: ({ name }) => name.replace("body", "encoder"),
            only: ({ name }) => !name.startsWith("head"),
            dtype: "convert",
            shape: "reshape"
          })
          assert.deepStrictEqual(Object.keys(items), ["params"])
          assert.deepStrictEqual(items.params.body.w.arraySync(), [
            [1, 2],
            [3, 4]
          ])
          assert.deepStrictEqual(items.params.body.b, Float32Array.of(5))
          assert.deepStrictEqual([...items.params.head.w.dataSync()], [7, 7])
          items.params.head.w.dispose() // a handle of its own
          assert.deepStrictEqual([...like.head.w.dataSync()], [7, 7])
          items.params.body.w.dispose()
          assert.strictEqual((yield* host.memory).tensors, before.tensors)
          const record = { "body.w": "encoder.w", "body.b": "encoder.b" }
          const named = yield* Effect.flip(reader.restore({ rename: record, dtype: "convert" }))
          assert.deepStrictEqual("faults" in named ? named.faults.map(({ path }) => path) : [], [
            "params['body']['w']",
            "params['head']['w']"
          ])
          yield* Tensors.dispose(like)
        })
      )
    )

    it.effect("a state keeps what its optimizer gives it where nothing was saved", () =>
      withStore(
        Effect.gen(function* () {
          const host = yield* Tensors.Tensors
          const { adam, momentum } = optimizers
          const fresh = yield* momentum.init({ w: numbers(3, 4) })
          const writer = yield* CheckpointManager.make({ items: { state: Item.state(momentum, { w: numbers(0, 0) }) } })
          yield* writer.save(9, { state: fresh })
          yield* writer.flush
          const reader = yield* CheckpointManager.make({
            items: { state: Item.state(adam, { w: numbers(1, 1) }) },
            readOnly: true
          })
          const before = yield* host.memory
          const { items } = yield* reader.restore({
            missing: "keep",
            only: ({ name }) => name === "w/x" || name === "w/m"
          })
          assert.strictEqual((yield* host.memory).tensors, before.tensors + 3)
          assert.deepStrictEqual(
            items.state.leaves.map((leaf) => [...leaf.dataSync()]),
            [
              [0, 0],
              [0, 0],
              [3, 4]
            ]
          )
          yield* Tensors.dispose([items.state, fresh])
        })
      )
    )

    it.effect("of the saves that wait, the newest wins; training is not held up", () => {
      const gate = Deferred.makeUnsafe<void>()
      const slow = altered((real) => ({
        put: (name, content, options) =>
          name.startsWith("step-")
            ? Effect.andThen(Deferred.await(gate), real.put(name, content, options))
            : real.put(name, content, options)
      }))
      return Effect.gen(function* () {
        const manager = yield* CheckpointManager.make(count)
        const seen = yield* Effect.forkChild(
          Stream.runCollect(Stream.takeUntil(manager.events, (e) => e._tag === "Saved" && e.step === 4))
        )
        yield* Effect.yieldNow
        yield* manager.save(1, { n: 1 })
        yield* Effect.yieldNow
        for (const step of [2, 3, 4]) yield* manager.save(step, { n: step })
        assert.deepStrictEqual(yield* manager.steps, [])
        yield* Deferred.succeed(gate, undefined)
        yield* manager.flush
        assert.deepStrictEqual(yield* manager.steps, [1, 4])
        const events = (yield* Fiber.join(seen)).filter(({ _tag }) => _tag !== "Progress")
        assert.deepStrictEqual(
          events.map(({ _tag, step }) => `${_tag} ${step}`),
          ["Started 1", "Superseded 2", "Superseded 3", "Saved 1", "Started 4", "Saved 4"]
        )
      }).pipe(Effect.scoped, Effect.provide(slow))
    })

    it.effect("a save that fails is told by the next one, which is made nevertheless; earlier ones are intact", () => {
      let failing = false
      const full = altered((real) => ({
        put: (name, content, options) => (failing ? Effect.fail(injected("NoSpace")) : real.put(name, content, options))
      }))
      return Effect.gen(function* () {
        const manager = yield* CheckpointManager.make({ ...count, lease: "1 minute" })
        yield* manager.save(1, { n: 1 })
        yield* manager.flush
        const told = yield* Effect.forkChild(
          Stream.runHead(Stream.filter(manager.events, ({ _tag }) => _tag === "Failed"))
        )
        yield* Effect.yieldNow
        failing = true
        yield* manager.save(2, { n: 2 })
        yield* Fiber.join(told)
        failing = false
        const error = yield* Effect.flip(manager.save(3, { n: 3 }))
        assert.strictEqual(
          error.message,
          [
            "CheckpointManager: the checkpoint of step 2 was not saved",
            "CheckpointStore.put: NoSpace",
            '  "x"   injected',
            "Free some space, or keep fewer checkpoints. Earlier checkpoints are intact."
          ].join("\n")
        )
        yield* manager.flush
        assert.deepStrictEqual(yield* manager.steps, [1, 3])
        const store = yield* Service
        assert.ok((yield* store.list).every((name) => !name.startsWith("step-2")))
      }).pipe(Effect.scoped, Effect.provide(full))
    })

    it.effect("what fails now and then is tried again", () => {
      let puts = 0
      const flaky = altered((real) => ({
        put: (name, content, options) =>
          Effect.suspend(() =>
            ++puts % 2 === 0
              ? Effect.andThen(Stream.runDrain(content), Effect.fail(injected("Unknown")))
              : real.put(name, content, options)
          )
      }))
      return Effect.gen(function* () {
        const tree = { w: numbers(1, 2, 3) }
        const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) }, retry: Schedule.recurs(2) })
        yield* manager.save(1, { tree })
        yield* manager.save(2, { tree })
        yield* manager.flush
        yield* manager.verify(2)
        assert.deepStrictEqual((yield* manager.restore()).items.tree, tree)
      }).pipe(Effect.scoped, Effect.provide(flaky))
    })

    it.effect("rules keep checkpoints; the latest stays whatever they say", () =>
      withStore(
        Effect.gen(function* () {
          const kept = Effect.fnUntraced(function* (retention: CheckpointManager.Retention) {
            const manager = yield* CheckpointManager.make({ ...count, retention })
            for (let step = 1; step <= 12; step++) {
              yield* manager.save(step, { n: step }, { metrics: { loss: step === 5 ? NaN : Math.abs(step - 7) } })
              yield* manager.flush
            }
            const steps = yield* manager.steps
            const store = yield* Service
            assert.strictEqual((yield* store.list).length, steps.length + 1)
            return steps
          })
          const each = (retention: CheckpointManager.Retention) =>
            kept(retention).pipe(Effect.scoped, Effect.provide(Layer.fresh(CheckpointStore.layerMemory)))
          assert.strictEqual((yield* each({})).length, 12)
          assert.deepStrictEqual(yield* each({ last: 3 }), [10, 11, 12])
          assert.deepStrictEqual(yield* each({ last: 0 }), [12])
          assert.deepStrictEqual(yield* each({ every: 5 }), [5, 10, 12])
          assert.deepStrictEqual(yield* each({ best: { metric: "loss", count: 2 } }), [7, 8, 12])
          assert.deepStrictEqual(yield* each({ best: { metric: "loss", mode: "max" } }), [1, 12])
          assert.deepStrictEqual(yield* each({ last: 1, every: 4, best: { metric: "loss" } }), [4, 7, 8, 12])
          assert.deepStrictEqual(yield* each({ youngerThan: 0 }), [12])
          assert.strictEqual((yield* each({ youngerThan: "1 hour" })).length, 12)
        })
      )
    )

    it.effect("a step that is saved again takes the place of the former one", () =>
      withStore(
        Effect.gen(function* () {
          const manager = yield* CheckpointManager.make(count)
          for (const n of [1, 2]) {
            yield* manager.save(5, { n })
            yield* manager.flush
          }
          assert.deepStrictEqual(yield* manager.steps, [5])
          assert.strictEqual((yield* manager.restore()).items.n, 2)
          const store = yield* Service
          assert.strictEqual((yield* store.list).length, 2)
        })
      )
    )

    it.effect("one manager writes: another is refused while it lives, and takes over when it is dead", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* Service
          const first = yield* CheckpointManager.make({ ...count, lease: "100 millis", holder: "trainer 1" })
          const error = yield* Effect.flip(CheckpointManager.make({ ...count, lease: "300 millis" }))
          assert.strictEqual(
            error.message,
            [
              "CheckpointManager.make: another manager works on this store",
              '  memory   held by "trainer 1"',
              "Close it, use a directory of your own, or open this one with { readOnly: true }."
            ].join("\n")
          )
          // a lease that nobody renews, of somebody who was killed
          yield* store.put("lease.json", Stream.make(new TextEncoder().encode("{}")))
          yield* first.save(1, { n: 1 })
          const lost = yield* Effect.flip(first.flush)
          assert.strictEqual(
            lost.message,
            [
              "CheckpointManager: the checkpoint of step 1 was not saved",
              "CheckpointManager: this manager no longer holds its store, and writes nothing more",
              "  memory   held by nobody: its lease is gone",
              "Only one process may write. Make a new manager; a longer lease survives longer pauses."
            ].join("\n")
          )
          const second = yield* CheckpointManager.make({ ...count, lease: "100 millis" })
          yield* second.save(2, { n: 2 })
          yield* second.flush
          assert.deepStrictEqual(yield* second.steps, [2])
          assert.strictEqual(
            (yield* Effect.flip(first.save(3, { n: 3 }).pipe(Effect.andThen(first.flush))))._tag,
            "SaveFailed"
          )
        })
      )
    )

    it.effect("who has lost the lease after a save removes no earlier checkpoint", () => {
      // another takes the store over between the last look at the lease and the manifest
      const taken = altered((real) => ({
        put: (name, content, options) =>
          name.startsWith("step-2-") && name.endsWith("/manifest.json")
            ? real
                .put("lease.json", Stream.make(new TextEncoder().encode("{}")))
                .pipe(Effect.andThen(real.put(name, content, options)))
            : real.put(name, content, options)
      }))
      return Effect.gen(function* () {
        const manager = yield* CheckpointManager.make({ ...count, retention: { last: 1 }, lease: "1 minute" })
        for (const step of [1, 2]) {
          yield* manager.save(step, { n: step })
          yield* manager.flush
        }
        assert.deepStrictEqual(yield* manager.steps, [1, 2])
      }).pipe(Effect.scoped, Effect.provide(taken))
    })

    it.effect("a defect of a store fails one save, and neither hangs nor ends the manager", () => {
      const broken = altered((real) => ({
        put: (name, content, options) =>
          name.startsWith("step-1-") ? Effect.die(new Error("broken")) : real.put(name, content, options)
      }))
      return Effect.gen(function* () {
        const manager = yield* CheckpointManager.make(count)
        yield* manager.save(1, { n: 1 })
        const { reason } = yield* Effect.flip(manager.flush)
        assert.ok(reason._tag === "StoreError" && reason.reason === "Unknown" && reason.detail.includes("broken"))
        yield* manager.save(2, { n: 2 })
        yield* manager.flush
        assert.deepStrictEqual(yield* manager.steps, [2])
      }).pipe(Effect.scoped, Effect.provide(broken))
    })

    it.effect("what a crash left is removed when the manager is made; what others put there is not", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* Service
          yield* store.put("step-3-0123abcd/state.safetensors", Stream.make(Uint8Array.of(1)))
          yield* store.put("notes/readme", Stream.make(Uint8Array.of(1)))
          yield* store.put("step-x/readme", Stream.make(Uint8Array.of(1)))
          yield* Effect.scoped(CheckpointManager.make(count))
          assert.deepStrictEqual((yield* store.list).toSorted(), ["notes/readme", "step-x/readme"])
        })
      )
    )

    it.effect("tensors are divided into files with an index that other readers know", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* Service
          const tree = { a: numbers(1, 2, 3), b: numbers(4), c: numbers(5, 6), d: numbers(7, 8, 9, 10, 11, 12) }
          const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) }, shardSize: 17 })
          yield* manager.save(1, { tree })
          yield* manager.flush
          const names = (yield* store.list)
            .filter((name) => name.includes("safetensors"))
            .map((name) => name.split("/")[1])
          assert.deepStrictEqual(names.toSorted(), [
            "tree-00001-of-00003.safetensors",
            "tree-00002-of-00003.safetensors",
            "tree-00003-of-00003.safetensors",
            "tree.safetensors.index.json"
          ])
          const text = new TextDecoder().decode(
            yield* readObject(store, nameOf(yield* store.list, 1, "tree.safetensors.index.json"))
          )
          assert.deepStrictEqual(JSON.parse(text), {
            metadata: { total_size: 48 },
            weight_map: {
              a: "tree-00001-of-00003.safetensors",
              b: "tree-00001-of-00003.safetensors",
              c: "tree-00002-of-00003.safetensors",
              d: "tree-00003-of-00003.safetensors"
            }
          })
          assert.deepStrictEqual((yield* manager.restore()).items.tree, tree)
          assert.deepStrictEqual((yield* manager.readTensor(1, "tree", "d")).shape, [6])
          const misspelt = yield* Effect.flip(manager.readTensor(1, "tre", "d"))
          assert.strictEqual(
            misspelt._tag === "NoCheckpoint" ? misspelt.wanted : "",
            "tensor d of tre at step 1, whose items are tree"
          )
        })
      )
    )

    it.effect("without a limit there is one file", () =>
      withStore(
        Effect.gen(function* () {
          const tree = { a: numbers(1, 2, 3), b: numbers(4) }
          const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) }, shardSize: Infinity })
          yield* manager.save(1, { tree })
          yield* manager.flush
          assert.deepStrictEqual((yield* manager.restore()).items.tree, tree)
        })
      )
    )

    it.effect("data of earlier schemas is migrated, data of later ones is refused", () =>
      withStore(
        Effect.gen(function* () {
          const v0 = Migrations.from(Schema.Struct({ epoch: Schema.Int }))
          const v1 = Migrations.to(v0, Schema.Struct({ epoch: Schema.Int, seed: Schema.BigInt }), ({ epoch }) => ({
            epoch,
            seed: 1n
          }))
          const v2 = Migrations.to(v1, Schema.Struct({ at: Schema.Int, seed: Schema.BigInt }), ({ epoch, seed }) => ({
            at: epoch,
            seed
          }))
          const writing = Effect.fnUntraced(function* <A>(step: number, item: Item.Item<A>, value: A) {
            const manager = yield* CheckpointManager.make({ items: { data: item } })
            yield* manager.save(step, { data: value })
            yield* manager.flush
          }, Effect.scoped)
          yield* writing(0, Item.json(v0), { epoch: 3 })
          yield* writing(1, Item.json(v1), { epoch: 4, seed: 2n ** 70n })
          yield* writing(2, Item.json(v2), { at: 5, seed: 6n })
          const reader = yield* CheckpointManager.make({ items: { data: Item.json(v2) }, readOnly: true })
          const values = yield* Effect.forEach([0, 1, 2], (at) =>
            Effect.map(reader.restore({ at }), ({ items }) => items.data)
          )
          assert.deepStrictEqual(values, [
            { at: 3, seed: 1n },
            { at: 4, seed: 2n ** 70n },
            { at: 5, seed: 6n }
          ])
          const old = yield* CheckpointManager.make({ items: { data: Item.json(v1) }, readOnly: true })
          const error = yield* Effect.flip(old.restore())
          assert.deepStrictEqual("faults" in error ? error.faults : [], [
            { path: "data.version", expected: "at most 1", found: "2" }
          ])
        })
      )
    )

    it.effect("data that could not be read again is not saved: it is said at once", () =>
      withStore(
        Effect.gen(function* () {
          const items = { any: Item.json(Schema.Json) }
          const manager = yield* CheckpointManager.make({ items })
          const evil: Schema.Json = JSON.parse('{"a":{"__proto__":{"polluted":1}}}')
          const error = yield* Effect.flip(manager.save(1, { any: evil }))
          assert.strictEqual(error._tag, "UnencodableCheckpoint")
          const deep = (levels: number): Schema.Json => JSON.parse("[".repeat(levels) + "]".repeat(levels))
          assert.strictEqual((yield* Effect.flip(manager.save(1, { any: deep(62) })))._tag, "UnencodableCheckpoint")
          const metrics: Record<string, number> = JSON.parse('{"__proto__":1}')
          const measured = yield* Effect.flip(manager.save(1, { any: 1 }, { metrics }))
          assert.strictEqual(measured._tag, "UnencodableCheckpoint")
          const step = yield* Effect.flip(manager.save(1.5, { any: 1 }))
          assert.strictEqual(step._tag, "InvalidStep")
          assert.deepStrictEqual(yield* manager.steps, [])
          const reader = yield* CheckpointManager.make({ items, readOnly: true })
          assert.strictEqual((yield* Effect.flip(reader.save(1, { any: 1 })))._tag, "SaveFailed")
          const named = yield* Effect.flip(CheckpointManager.make({ items: { "../x": Item.json(Schema.Int) } }))
          assert.strictEqual("reason" in named ? named.reason : "", "InvalidName")
          const proto = yield* Effect.flip(CheckpointManager.make({ items: { ["__proto__"]: Item.json(Schema.Int) } }))
          assert.strictEqual("reason" in proto ? proto.reason : "", "InvalidName")
          yield* manager.save(2, { any: deep(61) })
          yield* manager.flush
          assert.deepStrictEqual((yield* manager.restore()).items.any, deep(61))
        })
      )
    )

    it.effect("schedules, seeds and what else a run consists of", () =>
      withStore(
        Effect.gen(function* () {
          const schedule = Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 10, decayRate: 0.5 })
          const items = { schedule: Item.json(Schedules.Schedule), seed: Item.json(Schema.BigInt) }
          const manager = yield* CheckpointManager.make({ items })
          yield* manager.save(3, { schedule, seed: 2n ** 63n })
          yield* manager.flush
          const restored = (yield* manager.restore()).items
          assert.deepStrictEqual(restored, { schedule, seed: 2n ** 63n })
        })
      )
    )

    it.effect("is due by steps, by time, or always", () =>
      withStore(
        Effect.gen(function* () {
          const due = Effect.fnUntraced(function* (policy: CheckpointManager.Policy | undefined) {
            const manager = yield* CheckpointManager.make({ ...count, policy, readOnly: true })
            return yield* Effect.filter([1, 2, 3, 4, 5, 6], manager.isDue)
          })
          assert.deepStrictEqual(yield* due(undefined), [1, 2, 3, 4, 5, 6])
          assert.deepStrictEqual(yield* due({ everySteps: 3 }), [3, 6])
          assert.deepStrictEqual(yield* due({ every: "1 hour" }), [])
          assert.deepStrictEqual(yield* due({ every: 0 }), [1, 2, 3, 4, 5, 6])
          assert.deepStrictEqual(yield* due({ everySteps: 2, every: "1 hour" }), [2, 4, 6])
        })
      )
    )

    it.effect("saves are counted, and are spans with their step", () =>
      withStore(
        Effect.gen(function* () {
          const spans: Array<Tracer.Span> = []
          const tracer = Tracer.make({
            span: (options) => {
              const span = new Tracer.NativeSpan(options)
              spans.push(span)
              return span
            }
          })
          const states = yield* Effect.gen(function* () {
            const tree = { w: numbers(1, 2, 3) }
            const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) } })
            yield* manager.save(4, { tree })
            yield* manager.flush
            yield* manager.restore()
            return new Map((yield* Metric.snapshot).map(({ id, state }) => [id, state]))
          }).pipe(Effect.provideService(Tracer.Tracer, tracer), Effect.provideService(Metric.MetricRegistry, new Map()))
          assert.deepInclude(states.get("optim_checkpoint_saves"), { count: 1 })
          assert.deepInclude(states.get("optim_checkpoint_bytes"), { count: 12 })
          assert.deepInclude(states.get("optim_checkpoint_save_duration"), { count: 1 })
          assert.deepInclude(states.get("optim_checkpoint_snapshot_duration"), { count: 1 })
          assert.deepStrictEqual(
            spans.map(({ name }) => name),
            ["CheckpointManager.make", "CheckpointManager.save", "CheckpointManager.write", "CheckpointManager.restore"]
          )
          assert.strictEqual(spans[2]?.attributes.get("step"), 4)
        })
      )
    )

    it.effect("an optimizer's state that was given away is not saved", () =>
      withStore(
        Effect.gen(function* () {
          const optimizer = Optimizer.sgd({ stepSize: 0.1 })
          const state = yield* optimizer.init({ w: 1 })
          const manager = yield* CheckpointManager.make({ items: { state: Item.state(optimizer, { w: 1 }) } })
          yield* optimizer.update(0, { w: 1 }, state, { donate: "state" })
          assert.strictEqual((yield* Effect.flip(manager.save(1, { state })))._tag, "DonatedStateUsed")
          assert.ok(OptimizerState.isOptimizerState(state))
        })
      )
    )

    it.effect("training that is interrupted and goes on from its last save ends like one that never was", () =>
      withStore(
        Effect.gen(function* () {
          const optimizer = optimizers.adam
          const items = { state: Item.state(optimizer, { x: 3 }) }
          const loss = ({ x }: { readonly x: tf.Scalar }, batch: number): tf.Scalar => tf.squaredDifference(x, batch)
          const begin = Effect.fnUntraced(function* (batches: Stream.Stream<number>) {
            const manager = yield* CheckpointManager.make({ items, policy: { everySteps: 4 } })
            const start = yield* manager.restore().pipe(
              Effect.map((found) => ({ state: found.items.state, step: found.step })),
              Effect.catchTag("NoCheckpoint", () =>
                Effect.map(optimizer.init({ x: 3 }), (state) => ({ state, step: 0 }))
              )
            )
            const checkpoints = { manager, values: ({ state }: Pick<typeof start, "state">) => ({ state }) }
            return yield* Train.make({
              optimizer,
              loss,
              ...start,
              batches: Stream.drop(batches, start.step),
              checkpoints
            })
          })
          const lossesOf = (batches: Stream.Stream<number>) =>
            Effect.flatMap(begin(batches), ({ steps }) => Stream.runCollect(Stream.map(steps, (step) => step.loss)))
          const all = Stream.range(1, 10)
          const whole = yield* lossesOf(all).pipe(
            Effect.scoped,
            Effect.provide(Layer.fresh(CheckpointStore.layerMemory))
          )

          const waiting = yield* Deferred.make<void>()
          const stuck = Stream.fromEffect(Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never))
          const first: Array<number> = []
          yield* Effect.gen(function* () {
            const { steps } = yield* begin(Stream.concat(Stream.take(all, 6), stuck))
            const fiber = yield* Effect.forkChild(
              Stream.runForEach(steps, (step) => Effect.sync(() => first.push(step.loss)))
            )
            yield* Deferred.await(waiting)
            yield* Fiber.interrupt(fiber)
          }).pipe(Effect.scoped)
          const rest = yield* Effect.scoped(lossesOf(all))
          assert.strictEqual(rest.length, 4)
          assert.deepStrictEqual([...first, ...rest], whole)
        })
      )
    )
  })
})
