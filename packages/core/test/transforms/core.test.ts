/**
 * What holds for transforms as such: states, needs, branches, errors, ownership, plans.
 */
import { Expr, Leaves, Optimizer, OptimizerState, Scalar, Tensors, Transform } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { PyTree } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { backends } from "../support/backends.ts"
import { leavesNothing } from "../support/memory.ts"
import { firsts, values } from "../support/numbers.ts"

const params = { b: [0.5, -1], w: Float32Array.of(1, 2, 3) }
const grads = { b: [2, -0.25], w: Float32Array.of(0.5, 0, -4) }

const recipe = Transform.chain(
  Transform.clipByGlobalNorm({ maxNorm: 1 }),
  Transform.adamw({ learningRate: 0.1, weightDecay: 0.01 })
)

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<string, never, R> =>
  Effect.map(Effect.exit(effect), (exit) =>
    Exit.isFailure(exit)
      ? exit.cause.reasons.map((reason) => ("error" in reason ? (reason.error as Error).message : "")).join()
      : assert.fail("it succeeded")
  )

/** A transform that asks the host, and a tensor, which way to go. */
const asking: Transform.Transform<{ readonly asked: Scalar.Scalar }> = {
  name: "asking",
  hyperParameters: {},
  needs: {},
  init: () => ({ asked: Scalar.constant(0) }),
  update: (updates, { asked }, { branch }) => {
    const isOdd = branch(Scalar.apply("isOdd", (n = 0) => n % 2, asked))
    const isLarge = isOdd && branch(Expr.sub(Expr.max(Leaves.globalNorm(updates)), 1))
    const factor = isLarge ? 100 : isOdd ? 10 : 1
    return { updates: Leaves.map(updates, (u) => Expr.mul(factor, u)), state: { asked: Expr.add(asked, 1) } }
  }
}

for (const backend of backends) {
  layer(backend.layer)(`transforms on ${backend.name}`, (it) => {
    describe("laws", () => {
      it.effect("apply is applyUpdates after update", () =>
        leavesNothing(
          Effect.gen(function* () {
            const state = yield* Tensors.scoped(Transform.init(recipe, params))
            const applied = yield* Tensors.scoped(Transform.apply(recipe, grads, state, { params }))
            const { state: next, updates } = yield* Tensors.scoped(Transform.update(recipe, grads, state, { params }))
            assert.deepStrictEqual(
              yield* values(applied.params),
              yield* values(yield* Tensors.scoped(Transform.applyUpdates(params, updates)))
            )
            assert.deepStrictEqual(yield* values(applied.state[1][0].mu), yield* values(next[1][0].mu))
          })
        )
      )

      it.effect("an optimizer does what its transform does", () =>
        leavesNothing(
          Effect.gen(function* () {
            const optimizer = Optimizer.fromTransform(recipe)
            let state = yield* optimizer.init(params)
            let own = yield* Tensors.scoped(Transform.init(recipe, params))
            let p: unknown = params
            for (let step = 0; step < 5; step++) {
              state = yield* optimizer.update(step, grads, state, { donate: true })
              const applied = yield* Tensors.scoped(Transform.apply(recipe, grads, own, { params: p as typeof params }))
              p = applied.params
              own = applied.state
              assert.deepStrictEqual(yield* values(optimizer.params(state)), yield* values(p))
            }
            const held = OptimizerState.transform(state)
            assert.strictEqual(held[1][0].count, 5)
            assert.deepStrictEqual(yield* values(held[1][0].nu), yield* values(own[1][0].nu))
            yield* Tensors.dispose(state)
          })
        )
      )

      it.effect("a donated update gives the same and leaves nothing behind", () =>
        leavesNothing(
          Effect.gen(function* () {
            const give = (tree: typeof grads) => ({ b: tree.b.map((x) => tf.scalar(x)), w: tf.tensor1d(tree.w) })
            const own = yield* Tensors.scoped(Effect.sync(() => give(params)))
            const state = yield* Transform.init(recipe, params)
            const kept = yield* Tensors.scoped(Transform.update(recipe, grads, state, { params }))
            const given = give(grads)
            const donated = yield* Transform.update(recipe, given, state, { params: own, donate: true })
            assert.deepStrictEqual(yield* values(donated.updates), yield* values(kept.updates))
            assert.deepStrictEqual(
              PyTree.leaves(given).map((leaf) => (leaf as tf.Tensor).isDisposed),
              [true, true, true]
            )
            yield* Tensors.dispose(donated)
          })
        )
      )

      it.effect("a state goes through PyTree.map and on from there", () =>
        Effect.gen(function* () {
          const optimizer = Optimizer.fromTransform(recipe)
          const state = yield* optimizer.update(0, grads, yield* optimizer.init(params))
          const copy = PyTree.map(state, (leaf: unknown) => (leaf instanceof tf.Tensor ? leaf.clone() : leaf))
          const next = yield* optimizer.update(1, grads, copy)
          assert.deepStrictEqual(
            yield* values(optimizer.params(next)),
            yield* values(optimizer.params(yield* optimizer.update(1, grads, state)))
          )
          assert.strictEqual(OptimizerState.transform(next)[1][0].count, 2)
          yield* Tensors.dispose([copy, next])
        })
      )
    })

    describe("branches", () => {
      it.effect("are decided by the host's numbers and by tensors, each with a program of its own", () =>
        leavesNothing(
          Effect.gen(function* () {
            let state = yield* Transform.init(asking, { w: 0 })
            const seen: Array<number> = []
            for (const w of [0.5, 1, 3, 3, 3, 1]) {
              const next = yield* Tensors.scoped(Transform.update(asking, { w }, state))
              seen.push(...(yield* firsts(next.updates)))
              state = next.state
            }
            // Even steps as they are; odd ones ten times, or a hundred times if their norm is not 1.
            assert.deepStrictEqual(seen, [0.5, 10, 3, 300, 3, 10])
            assert.strictEqual(state.asked, 6)
          })
        )
      )

      it.effect("of an optimizer, too", () =>
        leavesNothing(
          Effect.gen(function* () {
            const optimizer = Optimizer.fromTransform(asking)
            let state = yield* optimizer.init({ w: 0 })
            const seen: Array<number> = []
            for (const [step, w] of [1, 1, 3, 3].entries()) {
              state = yield* optimizer.update(step, { w }, state, { donate: true })
              seen.push(...(yield* firsts(optimizer.params(state))))
            }
            assert.deepStrictEqual(seen, [1, 11, 14, 314])
            yield* Tensors.dispose(state)
          })
        )
      )
    })

    describe("cases", () => {
      it.effect("an empty tree has a state without tensors", () =>
        leavesNothing(
          Effect.gen(function* () {
            const state = yield* Transform.init(recipe, { nothing: null })
            const { updates } = yield* Transform.update(recipe, { nothing: null }, state, { params: { nothing: null } })
            assert.deepStrictEqual(updates, { nothing: null })
          })
        )
      )

      it.effect("forgetting what is needed names who needs it", () =>
        Effect.gen(function* () {
          const state = yield* Tensors.scoped(Transform.init(recipe, params))
          assert.strictEqual(
            yield* failure(Transform.update(recipe as Transform.Any, grads, state, {})),
            [
              "chain.update: addDecayedWeights needs params, expected the tree of parameters",
              "Pass { params } in the last argument."
            ].join("\n")
          )
        })
      )

      it.effect("a state of other parameters is refused with all differing paths", () =>
        Effect.gen(function* () {
          const adam = Transform.scaleByAdam()
          const state = yield* Tensors.scoped(Transform.init(adam, { w: 1 }))
          assert.strictEqual(
            yield* failure(Transform.update(adam as Transform.Any, { v: 1 }, state, {})),
            [
              "scaleByAdam.update: the state and the state of this transform for these parameters differ in structure",
              "  ['mu']['v']   expected a leaf    found nothing",
              "  ['mu']['w']   expected nothing   found a leaf",
              "  ['nu']['v']   expected a leaf    found nothing",
              "  ['nu']['w']   expected nothing   found a leaf",
              "Pass the state that init or the latest update of this very transform returned."
            ].join("\n")
          )
          const wrong = { ...state, count: state.mu.w, mu: { w: 3 } }
          assert.strictEqual(
            yield* failure(Transform.update(adam as Transform.Any, { w: 1 }, wrong, {})),
            [
              "scaleByAdam.update: shapes or dtypes differ",
              "  state['count']     expected a number     found float32 []",
              "  state['mu']['w']   expected float32 []   found a number",
              "Pass the state that init or the latest update of this very transform returned."
            ].join("\n")
          )
        })
      )

      it.effect("a disposed state is refused by its paths", () =>
        Effect.gen(function* () {
          const trace = Transform.trace({ decay: 0.5 })
          const state = yield* Transform.init(trace, { w: 1 })
          yield* Tensors.dispose(state)
          assert.match(yield* failure(Transform.update(trace, { w: 1 }, state)), /\n {2}state\['trace'\]\['w'\]\n/)
        })
      )

      it.effect("updates and parameters of different trees are refused", () =>
        Effect.gen(function* () {
          const decay = Transform.addDecayedWeights({ weightDecay: 1 })
          const state = yield* Transform.init(decay, { w: 1 })
          assert.match(
            yield* failure(Transform.update(decay, { w: 1 }, state, { params: { w: [1] } as never })),
            /^addDecayedWeights.update: the parameters and the updates differ in structure\n {2}\['w'\]/
          )
          assert.match(
            yield* failure(
              Transform.update(decay as Transform.Any, { w: 1 }, state, { params: { w: Float32Array.of(1) } })
            ),
            /\['w'\] {3}expected float32 \[\] {3}found float32 \[1\]/
          )
        })
      )

      it.effect("updates that lack a leaf of the parameters are refused as such, not as a state", () =>
        Effect.gen(function* () {
          const adamw: Transform.Any = Transform.adamw({ learningRate: 1 })
          const params = { v: 1, w: 1 }
          const state = yield* Tensors.scoped(Transform.init(adamw, params))
          assert.strictEqual(
            yield* failure(Transform.update(adamw, { v: 1, w: null }, state, { params: params as never })),
            [
              "adamw.update: the parameters and the updates differ in structure",
              "  ['w']   expected null   found a leaf",
              "Pass updates and parameters of the tree that was given to init."
            ].join("\n")
          )
        })
      )

      it.effect("a function that returns something else than leaves is refused", () =>
        Effect.gen(function* () {
          const wrong: Transform.Any = Transform.stateless(() => 3 as never)
          assert.strictEqual(
            yield* failure(Transform.update(wrong, { w: 1 }, null, {})),
            [
              "stateless.update: shapes or dtypes differ",
              "  ['w']   expected float32 []   found nothing",
              "A transform must return one update for every leaf, of the leaf's shape."
            ].join("\n")
          )
        })
      )

      it.effect("masks and labels that do not fit say where", () =>
        Effect.gen(function* () {
          const inner = Transform.scale({ stepSize: 2 })
          const init = (transform: Transform.Any) => failure(Transform.init(transform, { a: { x: 1 }, b: 1 }))
          assert.strictEqual(
            yield* init(Transform.masked(inner, { a: true, c: false })),
            [
              "masked(scale): the parameters and the mask differ in structure",
              "  ['b']   expected nothing   found a leaf",
              "  ['c']   expected a leaf    found nothing",
              "Pass a tree of the parameters' structure, or a prefix of it, with a value in the place of each leaf."
            ].join("\n")
          )
          assert.strictEqual(
            yield* init(Transform.masked(inner, { a: 1, b: true })),
            [
              "masked(scale): the mask cannot be used",
              "  ['a']['x']   expected true or false   found 1",
              "Give each leaf of the parameters, or a whole subtree of them, one value."
            ].join("\n")
          )
          assert.strictEqual(
            yield* init(Transform.adamw({ learningRate: 1, mask: { a: true } })),
            [
              "addDecayedWeights: the parameters and the mask differ in structure",
              "  ['b']   expected nothing   found a leaf",
              "Pass a tree of the parameters' structure, or a prefix of it, with a value in the place of each leaf."
            ].join("\n")
          )
          assert.strictEqual(
            yield* init(Transform.partition({ slow: inner, fast: inner }, { a: "slow", b: "quick" })),
            [
              "partition: the labels cannot be used",
              '  [\'b\']   expected one of "fast", "slow"   found "quick"',
              "Give each leaf of the parameters, or a whole subtree of them, one value."
            ].join("\n")
          )
        })
      )

      it.effect("an injected number out of its range fails and the state is kept", () =>
        Effect.gen(function* () {
          const injected = Transform.injectHyperparams(Transform.scaleByAdam, { b1: 0.5 })
          const state = yield* Tensors.scoped(Transform.init(injected, { w: 1 }))
          const set = { ...state, hyperparams: { ...state.hyperparams, b1: 2 } }
          assert.strictEqual(
            yield* failure(Transform.update(injected, { w: 1 }, set)),
            "scaleByAdam: b1 is 2, expected a number with 0 ≤ x < 1"
          )
          yield* Tensors.scoped(Transform.update(injected, { w: 1 }, state))
        })
      )
    })
  })
}

layer(Wasm.layer)("plans of transforms", (it) => {
  const leaves = { b: new Float32Array(10), w: new Float32Array(200) }

  it.effect("clipping and adamw are one pass of reductions and one fused pass", () =>
    Effect.gen(function* () {
      const { update } = yield* Optimizer.fromTransform(recipe).trace(leaves)
      const steps = update.steps.map((step) =>
        step._tag === "Library" ? "library" : `${step.results.length} of ${step.extents.join("×")}`
      )
      // The sums of squares, the norm of both (a single number), then mu, nu and the parameters of each leaf.
      assert.deepStrictEqual(steps, ["1 of 10", "1 of 200", "1 of 1", "3 of 10", "3 of 200"])
    })
  )

  it.effect("what does not move is neither read nor written, and keeps the sign of its zeros", () =>
    leavesNothing(
      Effect.gen(function* () {
        const frozen = Transform.selectiveTransform(Transform.sgd({ learningRate: 1 }), {
          freezeMask: { a: true, b: false }
        })
        const optimizer = Optimizer.fromTransform(frozen)
        const tree = { a: Float32Array.of(-0, 1), b: 1 }
        assert.match(yield* Optimizer.explain(optimizer, tree), /kernel 1: applied 1 time, 1 element\n/)
        for (const donate of [true, false]) {
          const state = yield* optimizer.init(tree)
          const next = yield* optimizer.update(0, tree, state, { donate })
          assert.deepStrictEqual(yield* values(optimizer.params(next)), [[-0, 1], [0]])
          if (!donate) assert.deepStrictEqual(yield* values(optimizer.params(state)), [[-0, 1], [1]])
          yield* Tensors.dispose(donate ? next : [state, next])
        }
      })
    )
  )

  it.effect("masks are no hyper-parameters, be they functions or trees", () =>
    Effect.gen(function* () {
      const masks = [Transform.leavesWhere((_, path) => path === "w"), { b: false, w: true }]
      const states = yield* Effect.forEach(masks, (mask) => {
        const options = { learningRate: (count: number) => 0.5 / (1 + count), weightDecay: 0.5, mask }
        const injected = Optimizer.fromTransform(Transform.injectHyperparams(Transform.adamw, options))
        return Tensors.scoped(Effect.flatMap(injected.init(leaves), (state) => injected.update(0, leaves, state)))
      })
      for (const state of states) {
        const names = Object.keys(OptimizerState.transform(state).hyperparams).toSorted()
        assert.deepStrictEqual(names, ["b1", "b2", "eps", "epsRoot", "learningRate", "weightDecay"])
      }
      const [first, second] = states
      assert.deepStrictEqual(yield* values(first?.leaves), yield* values(second?.leaves))
    })
  )

  it.effect("another value of an injected hyper-parameter is the same program", () =>
    Effect.gen(function* () {
      const injected = Optimizer.fromTransform(Transform.injectHyperparams(Transform.adamw, { learningRate: 0.1 }))
      const before = yield* injected.trace(leaves)
      const state = yield* Tensors.scoped(injected.update(0, leaves, yield* Tensors.scoped(injected.init(leaves))))
      assert.strictEqual((yield* injected.trace(leaves)).update, before.update)
      assert.deepStrictEqual(OptimizerState.transform(state).hyperparams.learningRate, 0.1)
    })
  )
})
