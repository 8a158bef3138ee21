/**
 * Updates in place: what they allocate, and what is left when there is no room, when the heap grows, and when it is
 * large.
 *
 * Tensors are counted by the number that tfjs gives to each, allocations at the allocator: neither can be made unseen.
 */
import { Expr, Optimizer, Plan, Program, Scalar, Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { ownLeaves } from "../src/internal/optimizer/handles.ts"
import { Tally } from "../src/internal/wasm/tally.ts"
import * as Allocator from "./support/allocator.ts"
import { catalogue, type Row, typical } from "./support/catalogue.ts"
import { fused, heap } from "./support/executors.ts"
import { memory } from "./support/memory.ts"
import { contents, values } from "./support/numbers.ts"

const { dispose, scoped } = Tensors

const owned = <A>(make: () => A) => scoped(Effect.sync(make))

const shapes: ReadonlyArray<Array<number>> = [[], [5], [0], [3, 4], [0, 2], [67], [2, 1, 3]]

const tree = () => shapes.map((shape) => tf.fill(shape, 0.5))

// --- allocations -------------------------------------------------------------------------------------------------

/** The latest handle that tfjs has made, and the pieces of the heap that were asked for; to look makes a handle, too. */
const counts = () => {
  // Private in the types, and the only place where every handle is seen.
  const { nextTensorId } = tf.engine() as unknown as { readonly nextTensorId: () => number }
  return { tensors: nextTensorId(), requests: Allocator.requests() }
}

const during = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = counts()
  const value = yield* effect
  const after = counts()
  return { value, tensors: after.tensors - before.tensors - 1, requests: after.requests - before.requests }
})

/** A state that has come out of updates, so that it shares nothing. */
const trained = Effect.fnUntraced(function* <S>(optimizer: Optimizer.Optimizer<S>, grads: Array<Tensor>) {
  const first = yield* optimizer.init(yield* owned(tree))
  return yield* optimizer.update(0, grads, first, { donate: "state" })
})

/** Reductions are new tensors, because what they could be written over is still being read: the vectors of sm3. */
const reductions = ({ name }: Row): number =>
  name === "sm3" ? shapes.reduce((vectors, { length }) => vectors + (length > 1 ? length : 0), 0) : 0

layer(Allocator.layer)("allocations", (it) => {
  for (const row of catalogue) {
    const optimizer = typical(row)
    const made = reductions(row)

    it.effect(`${row.name}, donated: none${made === 0 ? "" : " but its vectors"}`, () =>
      Effect.gen(function* () {
        const grads = yield* owned(tree)
        let state = yield* trained(optimizer, grads)
        for (const donate of ["state", "state", true] as const) {
          // Shown to nobody but this test, which only compares them.
          const before = state[ownLeaves]
          const step = yield* during(optimizer.update(1, grads, state, { donate }))
          assert.deepStrictEqual([step.tensors, step.requests], [made, made], `donate: ${donate}`)
          state = step.value
          assert.strictEqual(state[ownLeaves].filter((leaf) => !before.includes(leaf)).length, made)
        }
        yield* dispose(state)
      }).pipe(Effect.scoped)
    )

    it.effect(`${row.name}, pure: its outputs`, () =>
      Effect.gen(function* () {
        const grads = yield* owned(tree)
        const state = yield* scoped(trained(optimizer, grads))
        const step = yield* during(optimizer.update(1, grads, state))
        const { length } = step.value.leaves
        assert.deepStrictEqual([step.tensors, step.requests], [length, length])
        yield* dispose(step.value)
      }).pipe(Effect.scoped)
    )
  }

  for (const donate of [true, "state"] as const) {
    it.effect(`10,000 steps with donate: ${donate} leave everything as it was`, () =>
      Effect.gen(function* () {
        const adam = Optimizer.adam({ stepSize: 0.01 })
        const grads = yield* owned(tree)
        let state = yield* trained(adam, grads)
        const advance = Effect.fnUntraced(function* (step: number) {
          state = yield* adam.update(step, donate === true ? tree() : grads, state, { donate })
        })
        for (let step = 1; step < 10; step++) yield* advance(step)
        const before = { ...(yield* memory), allocations: Allocator.allocations(), leaves: state[ownLeaves] }
        for (let step = 10; step < 10_000; step++) yield* advance(step)
        const after = { ...(yield* memory), allocations: Allocator.allocations(), leaves: state[ownLeaves] }
        assert.deepStrictEqual({ ...after, leaves: [] }, { ...before, leaves: [] })
        assert.isTrue(after.leaves.every((leaf, index) => leaf === before.leaves[index]))
        yield* dispose(state)
      }).pipe(Effect.scoped)
    )
  }
})

// --- out of memory -----------------------------------------------------------------------------------------------

/** A rule of everything: elementwise in place, a norm, temporaries between kernels, functions of tfjs, a kept slot. */
const manifold = Optimizer.leafwise(() => ({
  init: (x) => ({ x, m: Expr.zerosLike(x), e: Expr.zerosLike(x), kept: x }),
  update: (step, g, { e, kept, m, x }) => {
    const mean = Expr.ema(0.5, m, g)
    const norm = Expr.sqrt(
      Expr.add(
        Expr.sum(Expr.square(mean)),
        Scalar.apply("one", (t = 0) => t + 1, step)
      )
    )
    const direction = Expr.div(mean, norm)
    return { x: Expr.sub(x, direction), m: Expr.mul(mean, 2), e: Expr.add(Expr.exp(Expr.neg(direction)), e), kept }
  },
  params: ({ x }) => x
}))

const refused = Effect.fnUntraced(function* <S>(
  optimizer: Optimizer.Optimizer<S>,
  options: Optimizer.UpdateOptions,
  grads: Array<Tensor>
) {
  const state = yield* scoped(optimizer.update(0, grads, yield* scoped(optimizer.init(yield* owned(tree)))))
  const expected = yield* contents(yield* scoped(optimizer.update(1, grads, state)))
  const count = () => ({ numTensors: tf.memory().numTensors, allocations: Allocator.allocations() })
  const [before, numbers, given] = [count(), yield* contents(state), yield* contents(grads)]
  for (let n = 0; ; n++) {
    const exit = yield* Effect.result(Allocator.refusingAfter(n, optimizer.update(1, grads, state, options)))
    if (exit._tag === "Success") {
      assert.deepStrictEqual(yield* contents(exit.success), expected)
      yield* dispose(exit.success)
      return n
    }
    assert.strictEqual(exit.failure._tag, "OutOfMemory")
    assert.deepStrictEqual(count(), before, `refused after ${n}`)
    assert.deepStrictEqual([yield* contents(state), yield* contents(grads)], [numbers, given], `refused after ${n}`)
  }
})

layer(Allocator.layer)("out of memory", (it) => {
  for (const options of [{}, { donate: true }, { donate: "state" }] as const) {
    const how = JSON.stringify(options)
    for (const row of catalogue) {
      it.effect(`${row.name} with ${how} leaves gradients, state and heap as they were, wherever it fails`, () =>
        Effect.gen(function* () {
          const optimizer = typical(row)
          const allocated = yield* refused(optimizer, options, yield* owned(tree))
          const { length } = yield* scoped(optimizer.init(yield* owned(tree))).pipe(Effect.map(({ leaves }) => leaves))
          assert.strictEqual(allocated, "donate" in options ? reductions(row) : length)
        }).pipe(Effect.scoped)
      )
    }

    it.effect(`a rule of all kinds of steps with ${how}, too`, () =>
      Effect.gen(function* () {
        assert.isAbove(yield* refused(manifold(), options, yield* owned(tree)), 10)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("a plan that finds no room for itself is made again", () =>
    Effect.gen(function* () {
      const adam = Optimizer.adam({ stepSize: 0.1 })
      const grads = yield* owned(tree)
      const state = yield* scoped(adam.init(yield* owned(tree)))
      const before = Allocator.allocations()
      const error = yield* Effect.flip(Allocator.refusingAfter(0, adam.update(0, grads, state)))
      assert.strictEqual(error._tag, "OutOfMemory")
      assert.strictEqual(Allocator.allocations(), before)
      yield* scoped(adam.update(0, grads, state))
    }).pipe(Effect.scoped)
  )
})

// --- a heap that grows, and a large one --------------------------------------------------------------------------

const megabyte = 2 ** 20

/** Takes pieces of the heap until `enough`; they are given back at the end of the scope. */
const taking = (bytes: number, enough: (address: number) => boolean) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { allocate } = heap()
      const addresses = [allocate(bytes)]
      while (!enough(addresses.at(-1) ?? 0)) addresses.push(allocate(bytes))
      return addresses
    }),
    (addresses) => Effect.sync(() => addresses.forEach((address) => heap().free(address)))
  )

const optimizers = (): ReadonlyArray<Optimizer.Any> => [
  Optimizer.adam({ stepSize: 0.1 }),
  Optimizer.sm3({ stepSize: 0.1 }),
  manifold()
]

/** The numbers after a few steps of an optimizer; something happens before each. */
const trajectory = Effect.fnUntraced(function* <S, E>(
  optimizer: Optimizer.Optimizer<S>,
  options: Optimizer.UpdateOptions,
  before: Effect.Effect<unknown, E, Tensors.Tensors>
) {
  const history = []
  let state = yield* optimizer.init(yield* owned(tree))
  for (let step = 0; step < 4; step++) {
    yield* before
    const next = yield* optimizer.update(step, yield* owned(tree), state, options)
    if (!("donate" in options)) yield* dispose(state)
    state = next
    history.push(yield* values(optimizer.params(state)))
  }
  yield* dispose(state)
  return history
})

layer(Wasm.layer)("a heap that grows", (it) => {
  it.effect("while tfjs computes between two kernels changes no number", () =>
    Effect.gen(function* () {
      const { service } = yield* fused
      const before = heap().memory.buffer
      const width = Math.ceil(before.byteLength / 24)
      const x = Expr.input(0, { shape: [2, 3], dtype: "float32" })
      // Only tfjs transposes, and the transposed tensor alone is as large as the heap.
      const wide = Expr.transpose(Expr.broadcastTo(Expr.reshape(Expr.mul(x, 2), [1, 2, 3]), [width, 2, 3]))
      const plan = Plan.make(Program.make([x], [Expr.add(Expr.max(wide, { axes: [2] }), 1)]))
      const input = yield* scoped(service.make({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }))
      const scalars = Program.evaluateScalars(plan.program, [])
      const outputs = yield* scoped(
        service.execute({ plan, inputs: [input], scalars, donatedFrom: 1, renewHandles: true })
      )
      assert.notStrictEqual(heap().memory.buffer, before)
      assert.deepStrictEqual(yield* values(outputs), [[3, 9, 5, 11, 7, 13]])
    }).pipe(Effect.scoped)
  )

  for (const options of [{}, { donate: true }, { donate: "state" }] as const) {
    it.effect(`between steps with ${JSON.stringify(options)} changes no number`, () =>
      Effect.gen(function* () {
        const buffers = new Set<ArrayBufferLike>()
        const scope = yield* Effect.scope
        const grow = Effect.suspend(() => {
          const before = heap().memory.buffer
          buffers.add(before)
          return taking(megabyte, () => heap().memory.buffer !== before)
        }).pipe(Scope.provide(scope))
        for (const optimizer of optimizers()) {
          const expected = yield* Effect.scoped(trajectory(optimizer, {}, Effect.void))
          assert.deepStrictEqual(yield* Effect.scoped(trajectory(optimizer, options, grow)), expected)
        }
        assert.strictEqual(buffers.size, 12) // four steps of three optimizers
      }).pipe(Effect.scoped)
    )
  }
})

layer(Wasm.layer)("addresses above 2 GiB", (it) => {
  it.effect("are addresses like others", () =>
    Effect.gen(function* () {
      const below = yield* Effect.forEach(optimizers(), (optimizer) =>
        Effect.scoped(trajectory(optimizer, { donate: "state" }, Effect.void))
      )
      // All that is below is taken, large pieces and small: what comes from now on, also for new plans, lies above.
      for (const bytes of [2 ** 29, 2 ** 24, 2 ** 20, 2 ** 16, 2 ** 12, 2 ** 8, 1])
        yield* taking(bytes, (address) => address >= 2 ** 31)
      const above = yield* Effect.forEach(optimizers(), (optimizer) =>
        Effect.scoped(
          trajectory(
            optimizer,
            { donate: "state" },
            Effect.sync(() => {
              const tensor = tf.zeros([1])
              assert.isAtLeast(heap().placementOf(tensor).memoryOffset, 2 ** 31)
              tensor.dispose()
            })
          )
        )
      )
      assert.deepStrictEqual(above, below)
    }).pipe(Effect.scoped)
  )
})

// --- without kernels ---------------------------------------------------------------------------------------------

/** Runs an effect while a property is another, or none. */
const replaced = <A, E, R>(target: object, key: string, value: unknown, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before: unknown = Reflect.get(target, key)
      if (value === undefined) Reflect.deleteProperty(target, key)
      else Reflect.set(target, key, value)
      return before
    }),
    () => effect,
    (before) => Effect.sync(() => Reflect.set(target, key, before))
  )

const build = Layer.build(Layer.fresh(Wasm.layer))

/** What kernels need, and a layer that is built without it. */
const lacks: { readonly [missing: string]: typeof build } = {
  "its heap is not where tfjs 4.22 keeps it": Effect.suspend(() =>
    replaced(tf.findBackend("wasm"), "dataIdMap", undefined, build)
  ),
  "this engine has no SIMD": replaced(WebAssembly, "validate", () => false, build)
}

layer(Wasm.layer)("without kernels", (it) => {
  for (const [missing, without] of Object.entries(lacks)) {
    it.effect(`updates run op by op, and say once that ${missing}`, () =>
      Effect.gen(function* () {
        const adam = Optimizer.adam({ stepSize: 0.1 })
        const expected = yield* Effect.scoped(trajectory(adam, {}, Effect.void))
        const logged: Array<unknown> = []
        const logger = Logger.make<unknown, void>(({ logLevel, message }) => void logged.push([logLevel, message]))
        const use = Effect.gen(function* () {
          for (const options of [{}, { donate: true }, { donate: "state" }] as const)
            assert.deepStrictEqual(yield* Effect.scoped(trajectory(adam, options, Effect.void)), expected)
          return yield* Optimizer.explain(Optimizer.sgd({ stepSize: 0.5 }), [1])
        })
        const text = yield* Effect.flatMap(without, (context) => Effect.provide(use, context)).pipe(
          Effect.provide(Logger.layer([logger])),
          Effect.scoped
        )
        assert.deepStrictEqual(logged, [
          ["Warn", [`No fused kernels on the tfjs wasm backend: ${missing}. Updates run op by op.`]]
        ])
        assert.strictEqual(
          text,
          [
            "sgd.update: 1 leaf, 1 parameters",
            "state: x; 1.00 numbers per parameter",
            "memory: 8.0 bytes read and 4.0 written per parameter",
            `executed: op by op, by tfjs (wasm): ${missing}`,
            "kernel 1: applied 1 time, 1 element",
            "    2 inputs, 1 scalar, 1 result; per element 8.0 bytes read, 4.0 written",
            "    v0 = mul(s0, in0)",
            "    v1 = sub(in1, v0)",
            "    out0 = v1"
          ].join("\n")
        )
      })
    )
  }
})

// --- counting addresses ------------------------------------------------------------------------------------------

describe("a tally", () => {
  it("counts like a map, again and again", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 2 ** 28 - 1 }))),
        (size, rounds) => {
          const tally = new Tally(size)
          for (const round of rounds) {
            // Addresses are multiples of 16; some of them occur often.
            const addresses = round.slice(0, size).map((n) => 16 * (n % 3 === 0 ? n % 7 : n))
            const counts = new Map<number, number>()
            tally.clear()
            for (const address of addresses) {
              tally.add(address)
              counts.set(address, (counts.get(address) ?? 0) + 1)
            }
            for (const address of [...addresses, ...rounds.flat().map((n) => 16 * n)])
              assert.strictEqual(tally.count(address), counts.get(address) ?? 0)
          }
        }
      ),
      { seed: 5, numRuns: 300 }
    ))
})
