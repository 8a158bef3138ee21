/** Runs, trees and file systems for the tests of checkpoints. */
import { Autodiff, Optimizer, OptimizerState, Transform } from "@optim/core"
import * as Schedules from "@optim/schedules"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

/** Each optimizer, with step sizes of all kinds. */
export const optimizers = {
  sgd: Optimizer.sgd({ stepSize: 0.05 }),
  momentum: Optimizer.momentum({ stepSize: Schedules.constant(0.02), mass: 0.9 }),
  nesterov: Optimizer.nesterov({ stepSize: (step) => 0.02 / (1 + step), mass: 0.9 }),
  adagrad: Optimizer.adagrad({
    stepSize: Schedules.inverseTimeDecay({ stepSize: 0.1, decaySteps: 7, decayRate: 0.5 })
  }),
  rmsprop: Optimizer.rmsprop({ stepSize: 0.01 }),
  rmspropMomentum: Optimizer.rmspropMomentum({ stepSize: 0.01 }),
  adam: Optimizer.adam({ stepSize: Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 30, decayRate: 0.7 }) }),
  adamax: Optimizer.adamax({ stepSize: 0.05 }),
  sm3: Optimizer.sm3({ stepSize: Schedules.piecewiseConstant({ boundaries: [20, 60], values: [0.2, 0.1, 0.05] }) })
}

/** Does something for each optimizer, whatever its slots are. */
export const forEachOptimizer = (f: <S>(optimizer: Optimizer.Optimizer<S>) => void): void => {
  f(optimizers.sgd)
  f(optimizers.momentum)
  f(optimizers.nesterov)
  f(optimizers.adagrad)
  f(optimizers.rmsprop)
  f(optimizers.rmspropMomentum)
  f(optimizers.adam)
  f(optimizers.adamax)
  f(optimizers.sm3)
}

const rate = Schedules.warmupCosineDecaySchedule({ initValue: 0, peakValue: 0.05, warmupSteps: 20, decaySteps: 100 })

const matrices = Transform.leavesWhere(({ shape }) => shape.length > 1)

/** Optimizers made of transforms: moments with counters, masks, hyper-parameters as state, inner states, no state. */
export const composed = {
  adamw: Optimizer.fromTransform(Transform.adamw({ learningRate: rate, weightDecay: 0.1, mask: matrices })),
  injectHyperparams: Optimizer.fromTransform(
    Transform.chain(
      Transform.clipByGlobalNorm({ maxNorm: 0.5 }),
      Transform.injectHyperparams(Transform.adamw, { learningRate: 0.05, weightDecay: 0.1, mask: matrices })
    )
  ),
  multiSteps: Optimizer.fromTransform(
    Transform.multiSteps(Transform.adam({ learningRate: 0.05 }), { everyKSchedule: 4 })
  ),
  partition: Optimizer.fromTransform(
    Transform.partition(
      { slow: Transform.sgd({ learningRate: 0.01, momentum: 0.9 }), fast: Transform.lion({ learningRate: rate }) },
      { layers: "fast", scale: "slow", none: null }
    )
  ),
  sgd: Optimizer.fromTransform(Transform.sgd({ learningRate: 0.05 })),
  stateless: Optimizer.fromTransform(Transform.scale({ stepSize: -0.05 }))
}

/** Does something for each optimizer that was made of a transform. */
export const forEachComposed = (f: <S>(name: string, optimizer: Optimizer.Optimizer<S>) => void): void => {
  f("adamw", composed.adamw)
  f("injectHyperparams", composed.injectHyperparams)
  f("multiSteps", composed.multiSteps)
  f("partition", composed.partition)
  f("sgd", composed.sgd)
  f("stateless", composed.stateless)
}

/** A small model with nested lists, a scalar and an empty place. */
export const params = () => ({
  layers: [
    { w: tf.tensor2d([0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [2, 3]), b: tf.tensor1d([0.01, 0, -0.01]) },
    { w: tf.tensor2d([1.5, -2.5, 3.5], [3, 1]), b: tf.tensor1d([0]) }
  ],
  scale: tf.scalar(1.25),
  none: null
})

/** The type of the model. */
export type Model = ReturnType<typeof params>

const x = () => tf.tensor2d([0.5, -1, 2, 0.25, -0.75, 1.5], [3, 2])
const y = () => tf.tensor2d([1, -1, 0.5], [3, 1])

const loss = ({ layers: [first, second], scale }: Model): tf.Scalar => {
  if (first === undefined || second === undefined) throw new Error("two layers")
  const hidden = tf.tanh(tf.add(tf.matMul(x(), first.w), first.b))
  const output = tf.mul(tf.add(tf.matMul(hidden, second.w), second.b), scale)
  return tf.mean(tf.squaredDifference(output, y()))
}

/** The state after the updates from one step up to another. */
export const train = <S>(
  optimizer: Optimizer.Optimizer<S>,
  from: OptimizerState.OptimizerState<Model, S>,
  first: number,
  end: number
) =>
  Effect.gen(function* () {
    let state = from
    for (let step = first; step < end; step++) {
      const { grads } = yield* Autodiff.valueAndGrad(loss)(optimizer.params(state))
      state = yield* optimizer.update(step, grads, state, { donate: true })
    }
    return state
  })

/** The bits of a state's tensors, then the numbers of its transform. */
export const bits = <P, S>(state: OptimizerState.OptimizerState<P, S>): ReadonlyArray<ReadonlyArray<number>> => {
  const tensors = state.leaves.map((leaf) => [...new Int32Array(Float32Array.from(leaf.dataSync()).buffer)])
  const numbers = OptimizerState.held(state)?.numbers.flatMap((number) => number ?? [])
  return numbers === undefined ? tensors : [...tensors, numbers]
}
