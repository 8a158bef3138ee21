/**
 * Entries of states by name: found, set and mapped, in states of transforms and of optimizers.
 */
import { Optimizer, OptimizerState, Tensors, Transform } from "@optim/core"
import { KeyPath, PyTree } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import { isShown } from "../src/internal/optimizer/handles.ts"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"
import { plansOf } from "./support/plans.ts"
import { message } from "./support/thrown.ts"

const { scoped } = Tensors

const params = { w: Float32Array.of(1, 2), b: [3] }
const grads = { w: Float32Array.of(0.5, -1), b: [2] }

/** A rate that can be set, deep within. */
const recipe = Transform.chain(
  Transform.clipByGlobalNorm({ maxNorm: 1 }),
  Transform.masked(Transform.injectHyperparams(Transform.adamw, { learningRate: 0.1, b1: 0.9 }), { w: true, b: false }),
  Transform.trace({ decay: 0.9 })
)

const optimizer = Optimizer.fromTransform(recipe)

const shown = (entries: ReadonlyArray<Transform.Entry>): ReadonlyArray<ReadonlyArray<unknown>> =>
  entries.map(([path, value]) => [KeyPath.keystr(path), value])

const under = (part: string) => ({
  filtering: (path: KeyPath.KeyPath) => KeyPath.keystr(path).includes(part)
})

const tensorsIn = (state: unknown): ReadonlyArray<unknown> =>
  PyTree.leaves(state).filter((leaf: unknown) => leaf instanceof tf.Tensor)

/** One state of each kind after a first update,. */
const states = Effect.gen(function* () {
  const before = yield* scoped(Transform.init(recipe, params))
  const { state } = yield* scoped(Transform.update(recipe, grads, before, { params }))
  const ofOptimizer = yield* scoped(
    Effect.flatMap(optimizer.init(params), (held) => optimizer.update(0, grads, held, { donate: "state" }))
  )
  return { state, ofOptimizer }
})

for (const backend of backends) {
  layer(backend.layer)(`entries of states on ${backend.name}`, (it) => {
    describe("get", () => {
      it.effect("finds numbers, tensors, trees and states, at any depth", () =>
        Effect.gen(function* () {
          const { ofOptimizer, state } = yield* states
          assert.strictEqual(Transform.get(state, "learningRate"), 0.1)
          assert.strictEqual(Transform.get(ofOptimizer, "learningRate"), 0.1)
          assert.strictEqual(Transform.get(state, "mu"), state[1].innerState.innerState[0].mu)
          assert.strictEqual(
            Transform.get(ofOptimizer, "mu").w,
            OptimizerState.transform(ofOptimizer)[1].innerState.innerState[0].mu.w
          )
          assert.strictEqual(Transform.get(state, "hyperparams"), state[1].innerState.hyperparams)
          assert.isNull(Transform.get(state, "mu").b[0])
        }).pipe(Effect.scoped)
      )

      it.effect("gives all of one name, with their paths, and those that a filter lets pass", () =>
        Effect.gen(function* () {
          const { ofOptimizer, state } = yield* states
          const found = [
            ["[1]['innerState']['count']", 1],
            ["[1]['innerState']['innerState'][0]['count']", 1],
            ["[1]['innerState']['innerState'][1]['count']", 1],
            ["[1]['innerState']['innerState'][2]['count']", 1]
          ]
          assert.deepStrictEqual(shown(Transform.getAllWithPath(state, "count")), found)
          assert.deepStrictEqual(
            shown(Transform.getAllWithPath(ofOptimizer, "count")),
            found.map(([path, count]) => [`.transform${path}`, count])
          )
          assert.deepStrictEqual(shown(Transform.getAllWithPath(state, "count", under("[2]"))), found.slice(3))
          assert.strictEqual(Transform.get(ofOptimizer, "count", under("[0]")), 1)
          const isNumber = { filtering: (_: unknown, value: unknown) => typeof value === "number" }
          assert.strictEqual(Transform.getAllWithPath(state, "count", isNumber).length, 4)
          assert.deepStrictEqual(shown(Transform.getAllWithPath(state as unknown, "nothing")), [])
        }).pipe(Effect.scoped)
      )

      it.effect("finds what lies within something of the same name", () =>
        Effect.sync(() => {
          const state = { trace: { trace: 1, w: 2 }, w: [{ trace: null }] }
          assert.deepStrictEqual(shown(Transform.getAllWithPath(state, "trace")), [
            ["['trace']", { trace: 1, w: 2 }],
            ["['trace']['trace']", 1],
            ["['w'][0]['trace']", null]
          ])
        })
      )

      it.effect("in a tree that holds the state of an optimizer, too", () =>
        Effect.gen(function* () {
          const { ofOptimizer } = yield* states
          assert.strictEqual(Transform.get({ step: 1, state: ofOptimizer }, "learningRate"), 0.1)
        }).pipe(Effect.scoped)
      )

      it.effect("takes a default for what is not there, and for nothing else", () =>
        Effect.sync(() => {
          const state = { a: { count: 1 }, b: { count: 2 } }
          assert.strictEqual(Transform.get(state, "rate", { default: undefined }), undefined)
          assert.strictEqual(Transform.get(state, "rate", { default: 3 }), 3)
          assert.strictEqual(Transform.get(state, "count", { default: 3, filtering: () => false }), 3)
          assert.throws(() => Transform.get(state, "count", { default: 3 }), /2 entries/)
        })
      )

      it.effect("takes the state last", () =>
        Effect.gen(function* () {
          const { ofOptimizer, state } = yield* states
          const rate: number = pipe(ofOptimizer, Transform.get("learningRate"))
          assert.strictEqual(rate, 0.1)
          assert.strictEqual(pipe(state, Transform.get("count", under("[2]"))), 1)
          assert.strictEqual(pipe(state, Transform.getAllWithPath("count")).length, 4)
        }).pipe(Effect.scoped)
      )

      it.effect("shows the handles of an optimizer's state only with tensors", () =>
        Effect.gen(function* () {
          const state = yield* scoped(optimizer.init(params))
          Transform.get(state, "learningRate")
          assert.isFalse(state[isShown])
          Transform.get(state, "mu")
          assert.isTrue(state[isShown])
        }).pipe(Effect.scoped)
      )
    })

    describe("set", () => {
      it.effect("changes numbers and keeps every handle", () =>
        leavesNothing(
          Effect.gen(function* () {
            const { ofOptimizer, state } = yield* states
            const slower = Transform.set(state, { learningRate: 0.01 })
            assert.strictEqual(Transform.get(slower, "learningRate"), 0.01)
            assert.strictEqual(Transform.get(state, "learningRate"), 0.1)
            tensorsIn(slower).forEach((tensor, index) => assert.strictEqual(tensor, tensorsIn(state)[index]))
            const next = Transform.set(ofOptimizer, { learningRate: 0.01, b1: 0.5 })
            assert.strictEqual(Transform.get(next, "learningRate"), 0.01)
            assert.strictEqual(Transform.get(next, "b1"), 0.5)
            next.leaves.forEach((tensor, index) => assert.strictEqual(tensor, ofOptimizer.leaves[index]))
          })
        )
      )

      it.effect("what is set is what updates take, without another program", () =>
        leavesNothing(
          Effect.gen(function* () {
            const sgd = Optimizer.fromTransform(
              Transform.chain(Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 1 }))
            )
            let state = yield* sgd.init({ w: 0 })
            const plans = new Set<unknown>()
            for (const [step, learningRate] of [1, 0.5, 0.25].entries()) {
              const set = Transform.set(state, { learningRate })
              const used = yield* plansOf(
                Effect.map(sgd.update(step, { w: 1 }, set, { donate: true }), (next) => (state = next))
              )
              for (const plan of used) plans.add(plan)
            }
            assert.deepStrictEqual(yield* values(sgd.params(state)), [[-1.75]])
            assert.strictEqual(plans.size, 1)
            yield* Tensors.dispose(state)
          })
        )
      )

      it.effect("gone with one is gone with the other", () =>
        leavesNothing(
          Effect.gen(function* () {
            const state = yield* optimizer.init(params)
            const set = Transform.set(state, { learningRate: 1 })
            const next = yield* optimizer.update(0, grads, set, { donate: true })
            assert.match(
              message(() => Transform.get(set, "learningRate")),
              /^Transform.get: this state was donated/
            )
            const exit = yield* Effect.flip(optimizer.update(0, grads, state))
            assert.strictEqual(exit._tag, "DisposedTensor")
            yield* Tensors.dispose(next)
          })
        )
      )

      it.effect("takes trees in the place of trees, and leaves what they replace to the old state", () =>
        leavesNothing(
          Effect.gen(function* () {
            const momentum = Optimizer.fromTransform(Transform.trace({ decay: 0.5 }))
            const state = yield* scoped(
              Effect.flatMap(momentum.init(params), (state) => momentum.update(0, grads, state, { donate: "state" }))
            )
            const trace = yield* scoped(Effect.sync(() => ({ w: tf.tensor1d([8, 8]), b: [tf.scalar(8)] })))
            const anew = Transform.set(state, { trace })
            assert.strictEqual(Transform.get(anew, "trace").w, trace.w)
            const next = yield* scoped(momentum.update(1, { w: Float32Array.of(0, 0), b: [0] }, anew))
            assert.deepStrictEqual(yield* values(Transform.get(next, "trace")), [[4], [4, 4]])
            assert.deepStrictEqual(yield* values(Transform.get(state, "trace")), [[2], [0.5, -1]])
          })
        )
      )

      it.effect("sets all of one name, or those that a filter lets pass", () =>
        Effect.sync(() => {
          const state = [{ count: 1 }, { inner: { count: 2 } }]
          assert.deepStrictEqual(Transform.set(state, { count: 9 }), [{ count: 9 }, { inner: { count: 9 } }])
          const inner = under("inner")
          assert.deepStrictEqual(Transform.set(state, { count: 9 }, inner), [{ count: 1 }, { inner: { count: 9 } }])
          assert.deepStrictEqual(
            pipe(state, Transform.set({ count: 9 }, inner)),
            Transform.set(state, { count: 9 }, inner)
          )
          assert.deepStrictEqual(pipe(state, Transform.set({ count: 9 })), Transform.set(state, { count: 9 }))
          assert.deepStrictEqual(Transform.set(state, { count: undefined }), state)
          assert.deepStrictEqual(state, [{ count: 1 }, { inner: { count: 2 } }])
        })
      )
    })

    describe("mapParams", () => {
      it.effect("maps what belongs to parameters, with parameter and path", () =>
        Effect.gen(function* () {
          const { state } = yield* states
          const label = (slot: tf.Tensor, param: unknown, path: KeyPath.KeyPath) =>
            `${slot.size}${KeyPath.keystr(path)}${typeof param === "number" ? param : ""}`
          const mapped = Transform.mapParams(recipe, state, params, label)
          const adamw = mapped[1].innerState.innerState
          assert.deepStrictEqual(adamw[0].mu, { w: "2['w']", b: [null] })
          assert.deepStrictEqual(mapped[2].trace, { w: "2['w']", b: ["1['b'][0]3"] })
          assert.deepStrictEqual([adamw[0].count, Transform.get(mapped, "learningRate")], [1, 0.1])
          const named = Transform.mapParams(recipe, state, params, label, { transformNonParams: () => "other" })
          assert.deepStrictEqual(Transform.get(named, "learningRate"), "other")
        }).pipe(Effect.scoped)
      )

      it.effect("leaves what is of another structure to transformNonParams", () =>
        Effect.gen(function* () {
          const flat = Transform.flatten(Transform.trace({ decay: 0.5 }))
          const state = yield* scoped(Transform.init(flat, params))
          const mapped = Transform.mapParams(flat, state, params, () => "param", { transformNonParams: () => "other" })
          assert.deepStrictEqual<unknown>(mapped, { trace: "other" })
        }).pipe(Effect.scoped)
      )

      it.effect("maps the state of an optimizer to another that goes on", () =>
        leavesNothing(
          Effect.gen(function* () {
            const momentum = Transform.trace({ decay: 0.5 })
            const own = Optimizer.fromTransform(momentum)
            const state = yield* scoped(
              Effect.flatMap(own.init(params), (state) => own.update(0, grads, state, { donate: "state" }))
            )
            const made: Array<tf.Tensor> = []
            const doubled = Transform.mapParams(momentum, state, (slot) => {
              made.push(tf.mul(slot, 2))
              return made.at(-1) ?? slot
            })
            yield* scoped(Effect.succeed(made))
            assert.deepStrictEqual(yield* values(Transform.get(doubled, "trace")), [[4], [1, -2]])
            assert.strictEqual(own.params(doubled).w, own.params(state).w)
            const next = yield* scoped(own.update(1, { w: Float32Array.of(0, 0), b: [0] }, doubled))
            assert.deepStrictEqual(yield* values(Transform.get(next, "trace")), [[2], [0.5, -1]])
          })
        )
      )
    })

    describe("errors", () => {
      const state = { adam: { count: 1, mu: { w: 2 } }, rates: [{ count: 3 }] }

      it.effect("a name that is not there", () =>
        Effect.sync(() => {
          const expected = (operation: string) =>
            [
              `Transform.${operation}: nothing in the state has the name "rate"`,
              "Its names are adam, count, mu, rates, w; hyper-parameters are there if they are injected (Transform.injectHyperparams)."
            ].join("\n")
          assert.strictEqual(
            // @ts-expect-error -- there is no such name
            message(() => Transform.get(state, "rate")),
            expected("get")
          )
          assert.strictEqual(
            // @ts-expect-error -- there is no such name
            message(() => Transform.set(state, { rate: 1 })),
            expected("set")
          )
        })
      )

      it.effect("a name that several have", () =>
        Effect.sync(() =>
          assert.strictEqual(
            message(() => Transform.get(state, "count")),
            [
              'Transform.get: 2 entries of the state have the name "count"',
              "  ['adam']['count']",
              "  ['rates'][0]['count']",
              "Choose one by its path with { filtering }, or take all of them with Transform.getAllWithPath."
            ].join("\n")
          )
        )
      )

      it.effect("a filter that lets nothing pass", () =>
        Effect.sync(() =>
          assert.strictEqual(
            message(() => Transform.set(state, { count: 1 }, { filtering: () => false })),
            [
              'Transform.set: the filter lets no entry of the name "count" pass',
              "  ['adam']['count']",
              "  ['rates'][0]['count']",
              "Pass a filter that is true for one of these paths."
            ].join("\n")
          )
        )
      )

      it.effect("values that do not fit", () =>
        Effect.gen(function* () {
          const { ofOptimizer } = yield* states
          const remedy = "Set what has the structure, the shapes and the dtypes of what is there."
          assert.strictEqual(
            // @ts-expect-error -- a leaf is missing
            message(() => Transform.set(ofOptimizer, { trace: { w: 1 } })),
            [
              "Transform.set: the new .transform[2]['trace'] and the old one differ in structure",
              "  ['b']   expected an array of 1   found nothing",
              remedy
            ].join("\n")
          )
          const trace = yield* scoped(Effect.sync(() => ({ w: tf.tensor1d([1]), b: [tf.scalar(1)] })))
          assert.strictEqual(
            message(() => Transform.set(ofOptimizer, { trace })),
            [
              "Transform.set: shapes or dtypes differ",
              "  .transform[2]['trace']['w']   expected float32 [2]   found float32 [1]",
              remedy
            ].join("\n")
          )
          assert.strictEqual(
            // @ts-expect-error -- the rate is a number
            message(() => Transform.set(ofOptimizer, { learningRate: "fast" })),
            [
              "Transform.set: shapes or dtypes differ",
              "  .transform[1]['innerState']['hyperparams']['learningRate']   expected a number   found string",
              remedy
            ].join("\n")
          )
          const gone = tf.tensor1d([1, 2])
          gone.dispose()
          assert.match(
            message(() => Transform.set(ofOptimizer, { trace: { ...trace, w: gone } })),
            /^Transform.set: tensors that were disposed.*\n {2}\.transform\[2\]\['trace'\]\['w'\]\n/
          )
        }).pipe(Effect.scoped)
      )

      it.effect("a state of another transform", () =>
        Effect.gen(function* () {
          const { state } = yield* states
          assert.match(
            message(() => Transform.mapParams(Transform.scaleByAdam(), state as never, params, () => 0)),
            /^Transform.mapParams: the state and the state of this transform for these parameters differ in structure\n/
          )
        }).pipe(Effect.scoped)
      )
    })
  })
}
