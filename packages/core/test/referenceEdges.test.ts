/**
 * Where the reference says no, or nothing: errors of structure and shape, and the edges of its two utilities.
 *
 * Its structure errors are ours, found before anything runs. What it lets pass (a gradient of shape [1] is stretched to
 * a parameter of shape [2]) is an error here.
 */
import { Expr, Optimizer, OptimizerState } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { JoinPoint } from "@optim/pytree"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { contents, values } from "./support/numbers.ts"
import { leastNormal, precision } from "./support/tolerances.ts"

const { clipGrads, l2Norm } = Optimizer

/** What an effect fails with; it must leave no tensor behind. */
const failure = <A, E extends { readonly _tag: string; readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(leavesNothing(Effect.flip(effect)), ({ _tag, message }) => ({ _tag, message }))

/** Plain descent whose runs are counted. */
const watched = () => {
  const runs = { update: 0 }
  const make = Optimizer.leafwise(() => ({
    init: (x) => ({ x }),
    update: (_, g, { x }) => {
      runs.update += 1
      return { x: Expr.sub(x, g) }
    },
    params: ({ x }) => x
  }))
  return { runs, optimizer: make() }
}

/** What the error of gradients for parameters is; nothing may have run, and the state must be as it was. */
const refused = Effect.fnUntraced(function* (params: unknown, grads: unknown) {
  const { optimizer, runs } = watched()
  const state = yield* optimizer.init(params)
  const before = yield* contents(state)
  const error = yield* failure(optimizer.update(0, grads, state, { donate: true }))
  // Only shapes are compared with what the rule says of the state.
  assert.deepStrictEqual(runs, { update: error._tag === "TensorMismatch" ? state.subtreeDefs.length : 0 })
  assert.deepStrictEqual(yield* contents(state), before)
  return error
})

layer(Cpu.layer)("errors", (it) => {
  it.effect("gradients of another structure are refused before the rule runs, with every difference", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused({ w: [1, 2], b: { c: 3 } }, { w: [1], b: { d: 3 } }), {
        _tag: "StructureMismatch",
        message: [
          "leafwise.update: the gradients and the parameters differ in structure",
          "  ['b']['c']   expected a leaf          found nothing",
          "  ['b']['d']   expected nothing         found a leaf",
          "  ['w']        expected an array of 2   found an array of 1",
          "Pass the tree that valueAndGrad returned for the parameters given to init."
        ].join("\n")
      })
    })
  )

  it.effect("gradients that go deeper than the parameters are refused", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused({ w: 1, b: [2, 3] }, { w: [1], b: [2, null] }), {
        _tag: "StructureMismatch",
        message: [
          "leafwise.update: the gradients and the parameters differ in structure",
          "  ['b'][1]   expected a leaf   found null",
          "  ['w']      expected a leaf   found an array of 1",
          "Pass the tree that valueAndGrad returned for the parameters given to init."
        ].join("\n")
      })
    })
  )

  it.effect("null in the parameters has no state, and asks for null in the gradients", () =>
    Effect.gen(function* () {
      const { optimizer } = watched()
      const state = yield* optimizer.init({ a: 1, none: null })
      assert.strictEqual(state.leaves.length, 1)
      const next = yield* optimizer.update(0, { a: 1, none: null }, state)
      assert.isNull(optimizer.params(next).none)
      assert.deepStrictEqual(yield* refused({ a: 1, none: null }, { a: 1, none: 0 }), {
        _tag: "StructureMismatch",
        message: [
          "leafwise.update: the gradients and the parameters differ in structure",
          "  ['none']   expected null   found a leaf",
          "Pass the tree that valueAndGrad returned for the parameters given to init."
        ].join("\n")
      })
    })
  )

  it.effect("gradients that would be stretched are refused, all of them", () =>
    Effect.gen(function* () {
      const params = { w: Float32Array.of(1, 2), b: 3, c: tf.zeros([2, 3]) }
      const grads = { w: Float32Array.of(1), b: 3, c: tf.zeros([3]) }
      assert.deepStrictEqual(yield* refused(params, grads), {
        _tag: "TensorMismatch",
        message: [
          "leafwise.update: shapes or dtypes differ",
          "  ['c']   expected float32 [2, 3]   found float32 [3]",
          "  ['w']   expected float32 [2]      found float32 [1]",
          "Pass the tree that valueAndGrad returned for the parameters given to init."
        ].join("\n")
      })
    })
  )

  it.effect("gradients that are no float32 numbers are refused, all of them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused([1, 2, 3], [tf.scalar(1, "int32"), "1", 3]), {
        _tag: "InvalidLeaf",
        message: [
          "leafwise.update: leaves that cannot be used",
          "  [0]   expected float32   found int32 []",
          "  [1]   expected float32   found string",
          "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
        ].join("\n")
      })
    })
  )

  it.effect("UpdateFunStructureMismatchErrorMessage: a rule must return the structure that it was given", () =>
    Effect.gen(function* () {
      const grow = Optimizer.leafwise((): Optimizer.LeafRule<{ readonly x: Expr.Expr; readonly v?: Expr.Expr }> => ({
        init: (x) => ({ x }),
        update: (_, g, { x }) => ({ x: Expr.sub(x, Expr.mul(0.1, g)), v: g }),
        params: ({ x }) => x
      }))()
      const state = yield* grow.init([Float32Array.of(0, 0, 0)])
      const error = yield* failure(grow.update(0, [Float32Array.of(0, 0, 0)], state))
      assert.deepStrictEqual(error, {
        _tag: "StructureMismatch",
        message: [
          "leafwise.update: the state that the rule returned at leaf [0] and the state that it was given differ in structure",
          "  ['v']   expected nothing   found a leaf",
          "An update must return the tree of tensors that init made."
        ].join("\n")
      })
    })
  )

  it.effect("a rule must keep the shapes of its state", () =>
    Effect.gen(function* () {
      const shrink = Optimizer.leafwise(() => ({
        init: (x) => ({ x, m: x }),
        update: (_, g, { x }) => ({ x: g, m: Expr.sum(x) }),
        params: ({ x }) => x
      }))()
      const params = { b: 1, w: Float32Array.of(1, 2) }
      const error = yield* failure(shrink.update(0, params, yield* shrink.init(params)))
      assert.deepStrictEqual(error, {
        _tag: "TensorMismatch",
        message: [
          "leafwise.update: shapes or dtypes differ",
          "  ['w']['m']   expected float32 [2]   found float32 []",
          "An update must keep the shape and dtype of every tensor of the state."
        ].join("\n")
      })
    })
  )

  it.effect("only join points of tensors are packed", () =>
    Effect.sync(() => {
      const pack = (tree: unknown) => () => OptimizerState.pack(tree)
      const found = (path: string, expected: string, found: string) =>
        [
          "OptimizerState.pack: leaves that cannot be used",
          `  ${path}   expected ${expected}   found ${found}`,
          "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
        ].join("\n")
      assert.throws(pack({ w: tf.scalar(1) }), found("['w']", "a JoinPoint", "object"))
      assert.throws(pack([JoinPoint.make({ x: 1 })]), found("[0]", "a JoinPoint of tensors", "number"))
    })
  )
})

for (const backend of backends) {
  layer(backend.layer)(`l2Norm and clipGrads on ${backend.name}`, (it) => {
    const clipped = (grads: unknown, maxNorm: number) => Effect.flatMap(clipGrads(grads, maxNorm), values)

    it.effect("a tree without leaves has norm 0, and clips to itself", () =>
      Effect.gen(function* () {
        for (const empty of [null, [], {}, { a: [null, {}] }]) {
          assert.strictEqual(yield* l2Norm(empty), 0)
          assert.deepStrictEqual(yield* clipGrads(empty, 1), empty)
        }
      })
    )

    it.effect("tensors without elements count nothing", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* l2Norm([tf.zeros([0]), tf.zeros([2, 0, 3])]), 0)
        assert.deepStrictEqual(yield* clipped([tf.zeros([0]), 6], 3), [[], [3]])
      })
    )

    it.effect("a gradient of exactly the largest norm is unchanged", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* clipped([3, Float32Array.of(0, -4)], 5), [[3], [0, -4]])
      })
    )

    it.effect("a smaller gradient is unchanged, bit for bit", () =>
      Effect.gen(function* () {
        const small = precision[backend.name].flushesSubnormals ? leastNormal : Math.fround(1e-40)
        const grads = [small, -0, Float32Array.of(0.1, -0.7)]
        const expected = [[small], [-0], [Math.fround(0.1), Math.fround(-0.7)]]
        assert.deepStrictEqual(yield* clipped(grads, 1), expected)
      })
    )

    it.effect("0/0, ∞ and NaN are those of the reference", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* clipped([0, Float32Array.of(0, 0)], 0), [[NaN], [NaN, NaN]])
        assert.deepStrictEqual(yield* clipped([1, Float32Array.of(Infinity, -2)], 3), [[0], [NaN, -0]])
        assert.deepStrictEqual(yield* clipped([1, Float32Array.of(NaN, -2)], 3), [[NaN], [NaN, NaN]])
        assert.deepStrictEqual(yield* clipped([1, -2], 0), [[0], [-0]])
        assert.strictEqual(yield* l2Norm([1, -Infinity]), Infinity)
        assert.isNaN(yield* l2Norm([1, NaN]))
      })
    )

    it.effect("the result is the caller's own, also where nothing was clipped", () =>
      leavesNothing(
        Effect.gen(function* () {
          const grads = { a: tf.tensor1d([3, 4]) }
          const same = yield* clipGrads(grads, 10)
          grads.a.dispose()
          assert.deepStrictEqual(yield* values(same), [[3, 4]])
          const donated = yield* pipe(same, clipGrads(1, { donate: true }))
          assert.isTrue(same.a.isDisposed)
          assert.approximately((yield* values(donated))[0]?.[0] ?? NaN, 0.6, 1e-7)
          donated.a.dispose()
        })
      )
    )

    it.effect("norms have to be numbers that are not negative", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* clipped([3, 4], Infinity), [[3], [4]])
        for (const maxNorm of [-1, NaN]) {
          assert.deepStrictEqual(yield* failure(clipGrads([3, 4], maxNorm)), {
            _tag: "InvalidHyperParameter",
            message: `Optimizer.clipGrads: maxNorm is ${maxNorm}, expected a number ≥ 0`
          })
        }
      })
    )
  })
}
