/**
 * Every error: provoked as a user provokes it, with its fields, and its message in full.
 *
 * The errors of Expr are in Expr.test.ts, one row for each detail; here is how they reach the user of an optimizer.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Core from "@optim/core"
import { Autodiff, Expr, Losses, Optimizer, OptimizerState, Tensors, Train, Transform } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { bringUp } from "../src/internal/tfjs/backend.ts"
import { interpreted, make } from "../src/internal/tfjs/service.ts"
import { thrown } from "./support/thrown.ts"

const { dispose, scoped } = Tensors

interface Row {
  readonly name: string
  readonly tag: keyof typeof Core
  readonly provoke: Effect.Effect<unknown, unknown, Tensors.Tensors | Scope.Scope>
  /** The fields, or some of them where the others are structures. */
  readonly fields: object
  readonly message: ReadonlyArray<string>
}

const throws = (run: () => unknown): Effect.Effect<never, unknown> => Effect.suspend(() => Effect.fail(thrown(run)))

const tensor = (make: () => tf.Tensor): Effect.Effect<tf.Tensor, never, Scope.Scope> => scoped(Effect.sync(make))

const disposed = Effect.sync(() => {
  const gone = tf.scalar(1)
  gone.dispose()
  return gone
})

const sgd = Optimizer.sgd({ stepSize: 0.1 })
const adam = Optimizer.adam({ stepSize: 0.1 })

/** A state of a tree with two leaves. */
const state = scoped(adam.init({ w: Float32Array.of(1, 2), b: [1] }))

type Rule = Parameters<typeof Optimizer.leafwise<readonly [], unknown>>[0]

/** An optimizer that somebody wrote, with a mistake in it, after one step from a tree of two leaves. */
const stepOf = (rule: Rule): Effect.Effect<unknown, unknown, Tensors.Tensors | Scope.Scope> =>
  Effect.gen(function* () {
    const optimizer = Optimizer.leafwise(rule)()
    const params = { w: Float32Array.of(1, 2), b: 1 }
    return yield* optimizer.update(0, params, yield* scoped(optimizer.init(params)))
  })

interface Slots {
  readonly x: Expr.Expr
  readonly n: Expr.Expr
}

const rule =
  (update: (g: Expr.Expr, state: Slots) => unknown, name?: string): Rule =>
  () => ({
    ...(name === undefined ? {} : { name }),
    init: (x) => ({ x, n: x }),
    update: (_, g, state) => update(g, state as Slots),
    params: (state) => (state as Slots).x
  })

const passGradients = "Pass the tree that valueAndGrad returned for the parameters given to init."

const cyclic = (): unknown => {
  const tree: { a: number; b?: unknown } = { a: 1 }
  tree.b = [tree]
  return tree
}

const gradOf = (loss: (x: tf.Tensor) => unknown, at: unknown = 1) =>
  // What a user without types, or with a wrong one, may write.
  Autodiff.valueAndGrad(loss as (x: tf.Tensor) => tf.Tensor)(at as tf.Tensor)

const rows: ReadonlyArray<Row> = [
  {
    name: "a hyper-parameter out of its range",
    tag: "InvalidHyperParameter",
    provoke: throws(() => Optimizer.adam({ stepSize: 0.1, b2: 1 })),
    fields: { optimizer: "adam", parameter: "b2", value: "1", expected: "a number with 0 ≤ x < 1" },
    message: ["adam: b2 is 1, expected a number with 0 ≤ x < 1"]
  },
  {
    name: "a step size that is none",
    tag: "InvalidHyperParameter",
    provoke: throws(() => Optimizer.sgd({ stepSize: "0.1" as never })),
    fields: { optimizer: "sgd", parameter: "stepSize", value: '"0.1"' },
    message: ['sgd: stepSize is "0.1", expected a finite number ≥ 0, a schedule, or a function of the step']
  },
  {
    name: "an impossible norm",
    tag: "InvalidHyperParameter",
    provoke: Optimizer.clipGrads({ a: 1 }, Number.NaN),
    fields: { optimizer: "Optimizer.clipGrads", parameter: "maxNorm", value: "NaN", expected: "a number ≥ 0" },
    message: ["Optimizer.clipGrads: maxNorm is NaN, expected a number ≥ 0"]
  },
  {
    name: "a label that is no class",
    tag: "InvalidArgument",
    provoke: throws(() => tf.tidy(() => Losses.multiclassHingeLoss(tf.zeros([2, 3]), tf.tensor1d([0, 3], "int32")))),
    fields: {
      operation: "Losses.multiclassHingeLoss",
      argument: "labels[1]",
      value: "3",
      expected: "a class from 0 to 2"
    },
    message: ["Losses.multiclassHingeLoss: labels[1] is 3, expected a class from 0 to 2"]
  },
  {
    name: "an impossible norm to clip to",
    tag: "InvalidHyperParameter",
    provoke: throws(() => Optimizer.clipped(adam, { maxNorm: -1 })),
    fields: { optimizer: "clipped", parameter: "maxNorm", value: "-1", expected: "a number ≥ 0" },
    message: ["clipped: maxNorm is -1, expected a number ≥ 0"]
  },
  {
    name: "a step that is no count",
    tag: "InvalidStep",
    provoke: Effect.flatMap(state, (state) => adam.update(0.5, adam.params(state), state)),
    fields: { operation: "adam.update", value: "0.5" },
    message: [
      "adam.update: the step is 0.5, expected a non-negative integer",
      "Steps count updates from 0; bias corrections and schedules depend on them."
    ]
  },
  {
    name: "leaves that are no tensors",
    tag: "InvalidLeaf",
    provoke: Effect.flatMap(
      tensor(() => tf.tensor1d([1], "int32")),
      (int) => adam.init({ w: ["x", int, 1], ok: 1, when: new Date(0) })
    ),
    fields: {
      operation: "adam.init",
      faults: [
        { path: "['w'][0]", expected: "float32", found: "string" },
        { path: "['w'][1]", expected: "float32", found: "int32 [1]" },
        { path: "['when']", expected: "float32", found: "object" }
      ]
    },
    message: [
      "adam.init: leaves that cannot be used",
      "  ['w'][0]   expected float32   found string",
      "  ['w'][1]   expected float32   found int32 [1]",
      "  ['when']   expected float32   found object",
      "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
    ]
  },
  {
    name: "gradients of other shapes",
    tag: "TensorMismatch",
    provoke: Effect.flatMap(state, (state) => adam.update(0, { w: 1, b: [Float32Array.of(1)] }, state)),
    fields: {
      operation: "adam.update",
      faults: [
        { path: "['b'][0]", expected: "float32 []", found: "float32 [1]" },
        { path: "['w']", expected: "float32 [2]", found: "float32 []" }
      ],
      remedy: passGradients
    },
    message: [
      "adam.update: shapes or dtypes differ",
      "  ['b'][0]   expected float32 []    found float32 [1]",
      "  ['w']      expected float32 [2]   found float32 []",
      passGradients
    ]
  },
  {
    name: "a rule that changes shapes and dtypes",
    tag: "TensorMismatch",
    provoke: stepOf(rule((_, { n, x }) => ({ x: Expr.sum(x), n: Expr.cast(n, "int32") }))),
    fields: { operation: "leafwise.update" },
    message: [
      "leafwise.update: shapes or dtypes differ",
      "  ['b']['n']   expected float32 []    found int32 []",
      "  ['w']['n']   expected float32 [2]   found int32 [2]",
      "  ['w']['x']   expected float32 [2]   found float32 []",
      "An update must keep the shape and dtype of every tensor of the state."
    ]
  },
  {
    name: "gradients of another structure",
    tag: "StructureMismatch",
    provoke: Effect.flatMap(state, (state) => adam.update(0, { w: 1, b: [1, 2], c: 1 } as never, state)),
    fields: { operation: "adam.update", subject: "the gradients", reference: "the parameters", hint: passGradients },
    message: [
      "adam.update: the gradients and the parameters differ in structure",
      "  ['b']   expected an array of 1   found an array of 2",
      "  ['c']   expected nothing         found a leaf",
      passGradients
    ]
  },
  {
    name: "a rule that changes the structure",
    tag: "StructureMismatch",
    provoke: stepOf(rule((g, { x }) => ({ x, v: g }), "grow")),
    fields: { operation: "grow.update", hint: "An update must return the tree of tensors that init made." },
    message: [
      "grow.update: the state that the rule returned at leaf ['b'] and the state that it was given differ in structure",
      "  ['n']   expected a leaf    found nothing",
      "  ['v']   expected nothing   found a leaf",
      "An update must return the tree of tensors that init made."
    ]
  },
  {
    name: "a tree that contains itself",
    tag: "CyclicTree",
    provoke: adam.init(cyclic()),
    fields: { operation: "PyTree.flatten" },
    message: [
      "PyTree.flatten: the tree contains itself",
      "  ['b'][0]   expected a new node   found one of the nodes around it",
      "Take the reference out of the tree, or hold it in a JoinPoint, which is a leaf."
    ]
  },
  {
    name: "tensors that are gone",
    tag: "DisposedTensor",
    provoke: Effect.flatMap(disposed, (gone) => adam.init({ a: gone, b: [1, gone] })),
    fields: { operation: "adam.init", paths: ["['a']", "['b'][1]"] },
    message: [
      "adam.init: tensors that were disposed or donated before",
      "  ['a']",
      "  ['b'][1]",
      "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
    ]
  },
  {
    name: "slots that are gone",
    tag: "DisposedTensor",
    provoke: Effect.gen(function* () {
      const gone = yield* adam.init({ w: 1, b: [2] })
      for (const slot of [0, 4, 5]) gone.leaves[slot]?.dispose()
      return yield* Effect.ensuring(adam.update(0, { w: 1, b: [1] }, gone), Tensors.dispose(gone))
    }),
    fields: { operation: "adam.update", paths: ["['b'][0] slot m", "['w'] slot v", "['w'] slot x"] },
    message: [
      "adam.update: tensors that were disposed or donated before",
      "  ['b'][0] slot m",
      "  ['w'] slot v",
      "  ['w'] slot x",
      "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
    ]
  },
  {
    name: "a parameter that is gone, of a state that is nothing else",
    tag: "DisposedTensor",
    provoke: Effect.gen(function* () {
      const sgd = Optimizer.sgd({ stepSize: 1 })
      const gone = yield* sgd.init({ w: 1 })
      gone.leaves[0]?.dispose()
      return yield* sgd.update(0, { w: 1 }, gone)
    }),
    fields: { operation: "sgd.update", paths: ["['w']"] },
    message: [
      "sgd.update: tensors that were disposed or donated before",
      "  ['w']",
      "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
    ]
  },
  {
    name: "a tensor that is gone when it is read",
    tag: "DisposedTensor",
    provoke: Effect.flatMap(disposed, (gone) => Tensors.Tensors.use(({ read }) => read(gone))),
    fields: { operation: "Tensors.read", paths: ["a tensor float32 []"] },
    message: [
      "Tensors.read: tensors that were disposed or donated before",
      "  a tensor float32 []",
      "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
    ]
  },
  {
    name: "a donated state",
    tag: "DonatedStateUsed",
    provoke: Effect.gen(function* () {
      const given = yield* sgd.init({ w: 1 })
      yield* scoped(sgd.update(3, { w: 1 }, given, { donate: true }))
      return yield* sgd.update(4, { w: 1 }, given)
    }),
    fields: { operation: "sgd.update", donatedAtStep: 3 },
    message: [
      "sgd.update: this state was donated to the update of step 3, its buffers are gone",
      "Go on with the state which that update returned, or leave donate out to keep the old one."
    ]
  },
  {
    name: "parameters that a transform needs",
    tag: "MissingArgument",
    // What a user without types may write.
    provoke: Transform.update(
      Transform.addDecayedWeights({ weightDecay: 1 }) as Transform.Any,
      { w: 1 },
      { count: 0 },
      {}
    ),
    fields: { argument: "params", transform: "addDecayedWeights", expected: "the tree of parameters" },
    message: [
      "addDecayedWeights.update: addDecayedWeights needs params, expected the tree of parameters",
      "Pass { params } in the last argument."
    ]
  },
  {
    name: "a mask of numbers",
    tag: "InvalidMask",
    provoke: Transform.init(Transform.masked(Transform.scaleByAdam(), { w: 1 }), { w: 1 }),
    fields: { role: "the mask", faults: [{ path: "['w']", expected: "true or false", found: "1" }] },
    message: [
      "masked(scaleByAdam): the mask cannot be used",
      "  ['w']   expected true or false   found 1",
      "Give each leaf of the parameters, or a whole subtree of them, one value."
    ]
  },
  {
    name: "a name that nothing in a state has",
    tag: "UnknownName",
    // What a user without types may write.
    provoke: throws(() => Transform.get({ adam: { mu: 1 } } as unknown, "nu")),
    fields: { operation: "Transform.get", wanted: "nu", names: ["adam", "mu"], refused: [] },
    message: [
      'Transform.get: nothing in the state has the name "nu"',
      "Its names are adam, mu; hyper-parameters are there if they are injected (Transform.injectHyperparams)."
    ]
  },
  {
    name: "a name that two entries of a state have",
    tag: "AmbiguousName",
    provoke: throws(() => Transform.get([{ count: 1 }, { count: 2 }], "count")),
    fields: { operation: "Transform.get", wanted: "count", paths: ["[0]['count']", "[1]['count']"] },
    message: [
      'Transform.get: 2 entries of the state have the name "count"',
      "  [0]['count']",
      "  [1]['count']",
      "Choose one by its path with { filtering }, or take all of them with Transform.getAllWithPath."
    ]
  },
  {
    name: "a rule that adds what does not fit",
    tag: "InvalidExpression",
    provoke: stepOf(
      rule(
        (g, { n, x }) => ({ x: Expr.add(x, Expr.add(g, Expr.full({ shape: [3], dtype: "float32" }, 1))), n }),
        "adds"
      )
    ),
    fields: { operation: "adds.update: add", path: "['w']", detail: "shapes differ: [2] and [3]; use broadcastTo" },
    message: ["adds.update: add at leaf ['w']: shapes differ: [2] and [3]; use broadcastTo"]
  },
  {
    name: "a rule that keeps a number",
    tag: "InvalidExpression",
    provoke: Optimizer.leafwise(() => ({
      init: (x) => ({ x, k: 1 }),
      update: (_, __, s) => s,
      params: ({ x }) => x
    }))().init(1),
    fields: {
      operation: "leafwise.init",
      path: "",
      detail: "the state holds a number, expected symbolic tensors only"
    },
    message: ["leafwise.init at leaf (root): the state holds a number, expected symbolic tensors only"]
  },
  {
    name: "a step size that is not finite",
    tag: "NonFinite",
    provoke: Effect.gen(function* () {
      const late = Optimizer.sgd({ stepSize: (step) => 1 / (2 - step) })
      return yield* late.update(2, 1, yield* scoped(late.init(1)))
    }),
    fields: { operation: "Scalar.schedule", quantity: "the step size", value: "Infinity", step: 2 },
    message: ["Scalar.schedule: the step size is Infinity at step 2, expected a finite number"]
  },
  {
    name: "a loss that is not finite, where that is checked",
    tag: "NonFinite",
    provoke: Effect.gen(function* () {
      const loss = (x: tf.Tensor): tf.Tensor => tf.div(x, 0)
      const trainer = yield* Train.make({ optimizer: sgd, params: 1, loss, batches: Stream.make(1), checkFinite: true })
      return yield* Stream.runDrain(trainer.steps)
    }),
    fields: { operation: "Train", quantity: "the loss", value: "Infinity", step: 0 },
    message: ["Train: the loss is Infinity at step 0, expected a finite number"]
  },
  {
    name: "a loss of many numbers",
    tag: "LossNotScalar",
    provoke: gradOf((x) => tf.mul(x, tf.tensor1d([1, 2]))),
    fields: { found: "a float32 tensor of shape [2]" },
    message: [
      "Autodiff: the loss is a float32 tensor of shape [2], expected a float32 tensor of shape []",
      "Return one number, for example tf.mean(x) or tf.sum(x) of @tensorflow/tfjs-core."
    ]
  },
  {
    name: "a loss without some parameters",
    tag: "LossIndependent",
    provoke: gradOf((tree) => tf.square((tree as unknown as { readonly a: tf.Tensor }).a), { a: 1, b: [2, 3] }),
    fields: { operation: "Autodiff.valueAndGrad", paths: ["['b'][0]", "['b'][1]"] },
    message: [
      "Autodiff.valueAndGrad: the loss does not depend on these leaves",
      "  ['b'][0]",
      "  ['b'][1]",
      "Use every leaf in the loss with differentiable operations, or leave it out of the parameters."
    ]
  },
  {
    name: "a loss that throws",
    tag: "LossFailed",
    provoke: gradOf(() => {
      throw new Error("no such layer")
    }),
    fields: {},
    message: ["Autodiff: the loss function threw: no such layer"]
  },
  {
    name: "a backend that tfjs does not know",
    tag: "BackendUnavailable",
    provoke: bringUp("abacus"),
    fields: { backend: "abacus", reason: "tfjs knows no such backend" },
    message: ["The tfjs backend 'abacus' is not available: tfjs knows no such backend"]
  },
  {
    name: "a device that goes away",
    tag: "BackendLost",
    provoke: make({
      name: "wasm",
      heapBytes: () => undefined,
      readsAtOnce: true,
      isLost: () => true,
      execution: "",
      execute: interpreted
    }).run(() => undefined),
    fields: { backend: "wasm" },
    message: [
      "The device of the tfjs backend 'wasm' was lost, and all tensors on it with it",
      "Build the layer anew and load the state that was saved last."
    ]
  },
  {
    name: "more than the address space",
    tag: "OutOfMemory",
    provoke: Optimizer.leafwise(() => ({
      init: (x) => ({ x, big: Expr.full({ shape: [2 ** 31], dtype: "float32" }, 0) }),
      update: (_, __, state) => state,
      params: ({ x }) => x
    }))().init({ w: Float32Array.of(1, 2) }),
    fields: { backend: "wasm", requestedBytes: 2 ** 33, inUseBytes: 8 },
    message: [
      "The tfjs backend 'wasm' has no room for 8589934592 bytes (8 in use)",
      "Dispose tensors that are no longer needed, donate the state to its update, or take smaller batches."
    ]
  }
]

const fieldsOf = (error: object, like: object): object =>
  Object.fromEntries(Object.keys(like).map((name) => [name, Reflect.get(error, name)]))

layer(Wasm.layer)("cases", (it) => {
  for (const row of rows) {
    it.effect(`${row.tag}: ${row.name}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(row.provoke)
        assert.instanceOf(error, Error)
        assert.strictEqual<unknown>(error.constructor, Core[row.tag])
        assert.deepStrictEqual(fieldsOf(error, { _tag: row.tag, ...row.fields }), { _tag: row.tag, ...row.fields })
        assert.strictEqual(error.message, row.message.join("\n"))
      })
    )
  }

  it.effect("a loss that throws something else keeps it as the cause", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        gradOf(() => {
          throw "words"
        })
      )
      assert.strictEqual(error.message, "Autodiff: the loss function threw: words")
      assert.strictEqual((error as Core.LossFailed).cause, "words")
    })
  )

  it.effect("pack says where something else than a join point stands", () =>
    Effect.sync(() => {
      const error = thrown(() => OptimizerState.pack({ a: [1] } as never))
      assert.instanceOf(error, Core.InvalidLeaf)
      assert.deepStrictEqual(error.faults, [{ path: "['a'][0]", expected: "a JoinPoint", found: "number" }])
    })
  )

  it.effect("out of memory leaves everything as it was", () =>
    Effect.gen(function* () {
      const given = yield* state
      const before = given.leaves.map((leaf) => leaf.dataSync().slice())
      const memory = tf.memory()
      const immense = Optimizer.leafwise(() => ({
        init: (x) => x,
        update: (_, g, x) =>
          Expr.add(x, Expr.mul(g, Expr.sum(Expr.exp(Expr.full({ shape: [2 ** 30 - 4], dtype: "float32" }, 1))))),
        params: (x) => x
      }))()
      const params = yield* scoped(immense.init({ w: 1 }))
      const error = yield* Effect.flip(immense.update(0, { w: 1 }, params, { donate: true }))
      // below 4 GiB it is the allocator itself that refuses
      assert.strictEqual((error as Core.OutOfMemory).requestedBytes, 2 ** 32 - 16)
      yield* dispose(yield* immense.init({ w: 1 }))
      assert.deepStrictEqual(tf.memory().numTensors, memory.numTensors + 1)
      assert.deepStrictEqual(
        given.leaves.map((leaf) => leaf.dataSync()),
        before
      )
      assert.strictEqual(immense.params(params).w.dataSync()[0], 1)
    })
  )
})

describe("the errors are complete", () => {
  const isError = (value: unknown): boolean => typeof value === "function" && value.prototype instanceof Error

  it("each one that is exported is provoked here", () => {
    const exported = Object.entries(Core).flatMap(([name, value]) => (isError(value) ? [name] : []))
    assert.deepStrictEqual([...new Set<string>(rows.map(({ tag }) => tag))].toSorted(), exported.toSorted())
  })
})
