/**
 * The checks of `jax.example_libraries.optimizers`, derived anew.
 *
 * Its own test suite has 24 of them, named here as there. *Funs* says that the triple fits together; *Run* trains twice,
 * pure and donated (there: eager and compiled), and ends where the reference ends. After them its golden trajectories,
 * its errors (with ours where it is silent), and the edges of its two utilities.
 */
import { Autodiff, Optimizer, OptimizerState, Tensors } from "@optim/core"
import { PyTree } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Scalar, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { backends } from "./support/backends.ts"
import { catalogue } from "./support/catalogue.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"

interface Trained<P, S> {
  readonly optimizer: Optimizer.Optimizer<S>
  readonly loss: (params: Optimizer.Promoted<P>) => Tensor
  readonly params: P
}

const { dispose, scoped } = Tensors

const ones = (...shape: Array<number>): Tensor => tf.ones(shape)

const vector = (): Tensor1D => tf.ones([2])

const squares = (...tensors: ReadonlyArray<Tensor>): Tensor =>
  tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor))))

/** The triple fits: what went in comes out, and a step keeps the structure. Gives the parameters after that step. */
const funs = Effect.fnUntraced(function* <P, S>({ loss, optimizer, params }: Trained<P, S>) {
  const [init, update, get] = optimizer
  const state = yield* scoped(init(params))
  const given = yield* Effect.forEach(PyTree.leaves(params), (leaf: unknown) =>
    typeof leaf === "number" ? Effect.succeed([leaf]) : Effect.map(values(leaf), ([numbers = []]) => numbers)
  )
  assert.deepStrictEqual(yield* values(get(state)), given)
  const grads = yield* scoped(Autodiff.grad(loss)(get(state)))
  const next = yield* scoped(update(0, grads, state))
  assert.isTrue(Equal.equals(PyTree.structure(next), PyTree.structure(state)))
  return yield* values(get(next))
})

/** The loss after some steps. */
const losses = Effect.fnUntraced(function* <P, S>(
  { loss, optimizer, params }: Trained<P, S>,
  steps: number,
  donate: boolean
) {
  let state = yield* optimizer.init(params)
  for (let step = 0; step < steps; step++) {
    const grads = yield* Autodiff.grad(loss)(optimizer.params(state))
    const next = yield* optimizer.update(step, grads, state, { donate })
    yield* dispose([grads, state])
    state = next
  }
  const { grads, value } = yield* Autodiff.valueAndGrad(loss)(optimizer.params(state))
  yield* dispose([grads, state])
  return value
})

/** Trains below 1e-2, and to the loss that the reference reaches (given to two or three digits). */
const run = Effect.fnUntraced(function* <P, S>(trained: Trained<P, S>, steps: number, final: number) {
  const pure = yield* losses(trained, steps, false)
  const donated = yield* losses(trained, steps, true)
  assert.isBelow(pure, 1e-2)
  assert.strictEqual(donated, pure)
  assert.approximately(pure / final, 1, 0.02)
})

const check = <P, S>(steps: number, final: number, trained: () => Trained<P, S>) =>
  Effect.gen(function* () {
    const given = trained()
    yield* scoped(Effect.succeed(PyTree.leaves(given.params)))
    yield* funs(given)
    yield* run(given, steps, final)
  })

/** Funs, and where one step leads. */
const firstStep = <P, S>(expected: ReadonlyArray<number>, trained: () => Trained<P, S>) =>
  Effect.gen(function* () {
    const given = trained()
    yield* scoped(Effect.succeed(PyTree.leaves(given.params)))
    const [found = []] = yield* funs(given)
    expected.forEach((value, index) => assert.approximately(found[index] ?? Number.NaN, value, 1e-6))
  })

const { inverseTimeDecay, exponentialDecay, piecewiseConstant, polynomialDecay } = Schedules
const { adagrad, adam, adamax, clipGrads, l2Norm, momentum, rmsprop, rmspropMomentum, sgd, sm3 } = Optimizer

const stepSize = 0.1
const decaying = { stepSize, decaySteps: 3, decayRate: 2 }
const ofVector = (x: Tensor1D): Tensor => squares(x)
const pair = (): readonly [Tensor1D, Tensor2D] => [tf.ones([2]), tf.ones([2, 2])]
const vectorWith = <S>(optimizer: Optimizer.Optimizer<S>) => ({ optimizer, loss: ofVector, params: vector() })
const pairWith = <S>(optimizer: Optimizer.Optimizer<S>) => ({
  optimizer,
  loss: ([a, b]: readonly [Tensor1D, Tensor2D]) => squares(a, b),
  params: pair()
})
const scalarWith = <S>(optimizer: Optimizer.Optimizer<S>) => ({
  optimizer,
  loss: (x: Scalar) => tf.square(x),
  params: 1
})

const trainings = {
  SgdScalar: check(100, 4.1e-20, () => scalarWith(sgd({ stepSize }))),
  SgdVector: check(100, 8.3e-20, () => vectorWith(sgd({ stepSize }))),
  SgdNestedTuple: check(100, 2.5e-19, () => ({
    optimizer: sgd({ stepSize }),
    loss: ([x, [y, z]]: readonly [Tensor1D, readonly [Tensor1D, Tensor1D]]) => squares(x, y, z),
    params: [vector(), [vector(), vector()]] as const
  })),
  MomentumVector: check(100, 8.3e-20, () => vectorWith(momentum({ stepSize, mass: 0 }))),
  MomentumDict: check(100, 8.3e-20, () => ({
    optimizer: momentum({ stepSize, mass: 0 }),
    loss: ({ x }: { readonly x: Tensor1D }) => squares(x),
    params: { x: vector() }
  })),
  RmspropVector: check(100, 1.12e-3, () => vectorWith(rmsprop({ stepSize }))),
  AdamVector: check(100, 1.72e-5, () => vectorWith(adam({ stepSize }))),
  SgdClosure: Effect.suspend(() => {
    const y = 1
    const loss = (x: Scalar) => tf.mul(y ** 2, tf.square(x))
    return run({ optimizer: sgd({ stepSize }), loss, params: 1 }, 20, 1.33e-4)
  }),
  Adagrad: check(100, 1.68e-3, () => pairWith(adagrad({ stepSize }))),
  SM3Scalar: check(100, 2.8e-4, () => ({ ...scalarWith(sm3({ stepSize })), params: tf.scalar(1) })),
  SM3Vector: check(100, 1.68e-3, () => pairWith(sm3({ stepSize }))),
  AdaMaxVector: check(100, 2.21e-5, () => vectorWith(adamax({ stepSize }))),
  SgdVectorExponentialDecaySchedule: firstStep([0.8, 0.8], () =>
    vectorWith(sgd({ stepSize: exponentialDecay(decaying) }))
  ),
  SgdVectorInverseTimeDecaySchedule: firstStep([0.8, 0.8], () =>
    vectorWith(sgd({ stepSize: inverseTimeDecay(decaying) }))
  ),
  AdamVectorInverseTimeDecaySchedule: firstStep([0.9, 0.9], () =>
    vectorWith(adam({ stepSize: inverseTimeDecay(decaying) }))
  ),
  MomentumVectorInverseTimeDecayStaircaseSchedule: firstStep([0.8, 0.8], () =>
    vectorWith(momentum({ stepSize: inverseTimeDecay({ ...decaying, staircase: true }), mass: 0.9 }))
  ),
  RmspropmomentumVectorPolynomialDecaySchedule: firstStep([-2.1622777, -2.1622777], () =>
    vectorWith(rmspropMomentum({ stepSize: polynomialDecay({ stepSize: 1, decaySteps: 50, finalStepSize: 0.1 }) }))
  ),
  RmspropVectorPiecewiseConstantSchedule: firstStep([-2.1622777, -2.1622777], () =>
    vectorWith(rmsprop({ stepSize: piecewiseConstant({ boundaries: [25, 75], values: [1, 0.5, 0.1] }) }))
  )
}

const tracedStepSize = Effect.gen(function* () {
  const { make, read } = yield* Tensors.Tensors
  const start = sgd({ stepSize: 0.1 })
  const state = yield* scoped(start.init(yield* scoped(Effect.sync(vector))))
  const computed = yield* scoped(make({ shape: [], data: Float32Array.of(0.9) }))
  const [stepSize = Number.NaN] = yield* read(computed)
  const grads = yield* scoped(Autodiff.grad(ofVector)(start.params(state)))
  const next = yield* scoped(sgd({ stepSize }).update(0, grads, state))
  assert.deepStrictEqual(yield* values(start.params(next)), [[1 - 2 * stepSize, 1 - 2 * stepSize]])
})

/** The derivative of a trained parameter with respect to a number in its loss. */
const issue758 = Effect.gen(function* () {
  const optimizer = sgd({ stepSize: 0.05 })
  const energy = (conf: Tensor1D, p: number) => tf.sum(tf.mul(conf, p))
  const trainedLoss = Effect.fnUntraced(function* (p: number) {
    let state = yield* optimizer.init(Float32Array.of(0.5))
    let step = 0
    for (; step < 75; step++) {
      const grads = yield* Autodiff.grad(energy)(optimizer.params(state), p)
      state = yield* optimizer.update(step, grads, state, { donate: true })
    }
    const [x = Number.NaN] = (yield* values(optimizer.params(state)))[0] ?? []
    yield* dispose(state)
    assert.strictEqual(step, 75)
    return 1 - x
  })
  assert.approximately(yield* trainedLoss(0.5), 2.375, 1e-5)
  // The loss is linear in p, so a wide difference is exact but for rounding.
  const slope = (yield* trainedLoss(1)) - (yield* trainedLoss(0))
  assert.approximately(slope, 3.75, 1e-5)
})

for (const backend of backends) {
  layer(backend.layer)(`the reference's tests on ${backend.name}`, (it) => {
    for (const [name, training] of Object.entries(trainings)) {
      it.effect(name, () => leavesNothing(training))
    }
    it.effect("TracedStepSize", () => leavesNothing(tracedStepSize))
    it.effect("Issue758", () => leavesNothing(issue758))
    it.effect("UtilityNorm", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* l2Norm([ones(2), [ones(3), ones(4)]]), 3)
      })
    )
    it.effect("UtilityClipGrads", () =>
      Effect.gen(function* () {
        const tree = [ones(2), [ones(3), ones(4)]]
        assert.deepStrictEqual(yield* values(yield* clipGrads(tree, 3.3)), yield* values(tree))
        assert.approximately(yield* l2Norm(yield* clipGrads(tree, 2.7)), 2.7, 1e-6)
      })
    )
    it.effect("UnpackPackRoundTrip", () =>
      Effect.gen(function* () {
        const params = [{ w: tf.randomNormal([1, 2]), bias: tf.randomNormal([2]) }]
        const state = yield* momentum({ stepSize, mass: 0.9 }).init(params)
        const again = OptimizerState.pack(OptimizerState.unpack(state))
        assert.isTrue(Equal.equals(PyTree.structure(again), PyTree.structure(state)))
        again.leaves.forEach((leaf, index) => assert.strictEqual(leaf, state.leaves[index]))
      })
    )
  })
}

/** float64 trajectories of the reference; ours are float32, a few roundings away. */
const trajectories: { readonly [name: string]: ReadonlyArray<ReadonlyArray<number>> } = {
  sgd: [
    [0.95, -1.9, 2.8],
    [0.975, -1.975, 2.65],
    [0.875, -1.985, 2.7]
  ],
  momentum: [
    [0.95, -1.9, 2.8],
    [0.93, -1.885, 2.47],
    [0.812, -1.8815, 2.223]
  ],
  nesterov: [
    [0.905, -1.81, 2.62],
    [0.912, -1.8715, 2.173],
    [0.7058, -1.87835, 2.0007]
  ],
  adagrad: [
    [0.99, -1.99, 2.99],
    [0.985472136, -1.987, 2.975],
    [0.9726683427, -1.985097452, 2.963461161]
  ],
  rmsprop: [
    [0.6837722972, -1.68377225, 2.683772238],
    [0.8312142277, -1.879888378, 2.487656104],
    [0.5493563089, -1.907347541, 2.554984341]
  ],
  rmspropMomentum: [
    [0.6837722972, -1.68377225, 2.683772238],
    [0.5466092952, -1.595283403, 2.203051119],
    [0.1413046746, -1.543102603, 1.837730348]
  ],
  adam: [
    [0.900000002, -1.900000001, 2.9],
    [0.8733662987, -1.8910675, 2.801742493],
    [0.8075551397, -1.889283065, 2.73980452]
  ],
  adamax: [
    [0.900000002, -1.900000001, 2.9],
    [0.8789262971, -1.892097362, 2.813070967],
    [0.8353838621, -1.890803262, 2.76740773]
  ],
  sm3: [
    [0.99, -1.99, 2.99],
    [0.985472136, -1.987, 2.975],
    [0.9726683427, -1.985097452, 2.963461161]
  ]
}

const slopes = [
  [0.5, -1, 2],
  [-0.25, 0.75, 1.5],
  [1, 0.1, -0.5]
].map((grads) => Float32Array.from(grads))

const close = (found: ReadonlyArray<number>, expected: ReadonlyArray<number>, what: string) => {
  assert.strictEqual(found.length, expected.length)
  expected.forEach((value, index) => assert.approximately(found[index] ?? Number.NaN, value, 1e-6, what))
}

for (const backend of backends) {
  layer(backend.layer)(`golden numbers on ${backend.name}`, (it) => {
    for (const row of catalogue) {
      it.effect(`the first three steps of ${row.name}`, () =>
        Effect.gen(function* () {
          const optimizer = row.make({ stepSize, mass: 0.9, momentum: 0.9 })
          let state = yield* optimizer.init(Float32Array.of(1, -2, 3))
          for (const [step, grads] of slopes.entries()) {
            state = yield* optimizer.update(step, grads, state, { donate: true })
            close((yield* values(optimizer.params(state))).flat(), trajectories[row.name]?.[step] ?? [], `step ${step}`)
          }
        })
      )
    }

    it.effect("sm3 on a matrix", () =>
      Effect.gen(function* () {
        const optimizer = sm3({ stepSize })
        const first = tf.tensor2d([
          [1, -2],
          [0.5, 0]
        ])
        const second = tf.tensor2d([
          [0.1, 0.2],
          [0.3, 0.4]
        ])
        const matrix = tf.tensor2d([
          [1, 2],
          [3, 4]
        ])
        let state = yield* optimizer.update(0, first, yield* optimizer.init(matrix))
        const rows = () => values(OptimizerState.unpack(state).subtree.v)
        close((yield* values(optimizer.params(state))).flat(), [0.99, 2.01, 2.99, 4], "x")
        close((yield* rows()).flat(), [4, 0.25, 1, 4], "v")
        state = yield* optimizer.update(1, second, state)
        close(
          (yield* values(optimizer.params(state))).flat(),
          [0.9800049628, 2.0180049628, 2.9758550424, 3.9937530495],
          "x"
        )
        close((yield* rows()).flat(), [4.04, 0.41, 1.01, 4.04], "v")
      })
    )
  })
}
