/**
 * End to end: forward, backward and update of an MLP on one batch, against `tf.train.adam().minimize`.
 *
 * Both read the loss in every step, as a training loop does; both start from the same parameters and must end with the
 * same loss.
 */
import { Autodiff, Optimizer, Tensors } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { Run } from "./contestants/runtime.ts"
import type { Timed } from "./measure.ts"
import { b1, b2, eps, rate } from "./reference.ts"
import { fill, mlp } from "./setting.ts"

type Params = ReadonlyArray<tf.Tensor>

interface Batch {
  readonly images: tf.Tensor2D
  readonly labels: tf.Tensor2D
}

/** Logits of a network with weights and biases in turn. */
const network = (params: Params, images: tf.Tensor2D): tf.Tensor2D => {
  let layer = images
  for (let index = 0; index < params.length; index += 2) {
    const [weights, bias] = [params[index], params[index + 1]]
    if (weights === undefined || bias === undefined) throw new Error("weights and biases come in pairs")
    const sum = tf.add<tf.Tensor2D>(tf.matMul(layer, weights), bias)
    layer = index + 2 < params.length ? tf.relu(sum) : sum
  }
  return layer
}

const lossOn =
  ({ images, labels }: Batch) =>
  (params: Params): tf.Scalar =>
    tf.losses.softmaxCrossEntropy(labels, network(params, images))

/** Glorot-like scales keep the activations in range. */
const start = (): Array<tf.Tensor> =>
  fill(mlp).leaves.map(({ shape, x }) => {
    const [inputs = 1] = shape
    const scale = shape.length === 2 ? 1.7 / Math.sqrt(inputs) : 0
    return tf.keep(
      tf.tensor(
        x.map((value) => value * scale),
        [...shape]
      )
    )
  })

const digitsOf = (size: number): Array<number> => Array.from({ length: size }, (_, index) => (index * 7) % 10)

const batchOf = (size: number): Batch => ({
  images: tf.keep(tf.randomUniform<tf.Rank.R2>([size, 784], 0, 1, "float32", 1)),
  labels: tf.keep(tf.tidy(() => tf.oneHot(tf.tensor1d(digitsOf(size), "int32"), 10) as tf.Tensor2D))
})

interface Trainer extends Timed {
  /** The loss of the last step. */
  readonly loss: () => number
  readonly end: () => void
}

const ours = (run: Run, batch: Batch): Trainer => {
  const adam = Optimizer.adam({ stepSize: rate, b1, b2, eps })
  const valueAndGrad = Autodiff.valueAndGrad(lossOn(batch))
  const params: Params = start()
  let state = run(adam.init(params))
  run(Tensors.dispose(params))
  let t = 0
  let loss = Number.NaN
  const next = Effect.suspend(() =>
    Effect.flatMap(valueAndGrad(adam.params(state)), ({ grads, value }) => {
      loss = value
      return adam.update(t++, grads, state, { donate: true })
    })
  )
  return {
    name: "optim, donated",
    step: () => {
      state = run(next)
    },
    loss: () => loss,
    end: () => run(Tensors.dispose(state))
  }
}

const theirs = (batch: Batch): Trainer => {
  const optimizer = tf.train.adam(rate, b1, b2, eps)
  const params = start()
  const variables = params.map((tensor, index) => tf.variable(tensor, true, `training/${index}`))
  const compute = lossOn(batch)
  let loss = Number.NaN
  return {
    name: "tf.train.adam().minimize",
    step: () => {
      const value = optimizer.minimize(() => compute(variables), true, variables)
      loss = value?.dataSync()[0] ?? Number.NaN
      value?.dispose()
    },
    loss: () => loss,
    end: () => {
      optimizer.dispose()
      tf.dispose([...params, ...variables])
    }
  }
}

/** Forward and backward alone, in tfjs: what no optimizer can change. */
const theirGradients = (batch: Batch): Trainer => {
  const params = start()
  const variables = params.map((tensor, index) => tf.variable(tensor, true, `gradients/${index}`))
  const compute = lossOn(batch)
  let loss = Number.NaN
  return {
    name: "gradients alone, tfjs",
    step: () => {
      const { grads, value } = tf.variableGrads(() => compute(variables), variables)
      loss = value.dataSync()[0] ?? Number.NaN
      tf.dispose([value, grads])
    },
    loss: () => loss,
    end: () => tf.dispose([...params, ...variables])
  }
}

/** Forward and backward alone, by the library. */
const ourGradients = (run: Run, batch: Batch): Trainer => {
  const params: Params = start()
  let loss = Number.NaN
  const gradients = Effect.flatMap(Autodiff.valueAndGrad(lossOn(batch))(params), ({ grads, value }) => {
    loss = value
    return Tensors.dispose(grads)
  })
  return {
    name: "gradients alone, optim",
    step: () => run(gradients),
    loss: () => loss,
    end: () => run(Tensors.dispose(params))
  }
}

const steps = 5

const tolerance = 1e-3

/** The trainers for a batch of so many images, proven to train alike. */
export const trainers = async (run: Run, size: number): Promise<ReadonlyArray<Trainer>> => {
  const batch = batchOf(size)
  const all = [ours(run, batch), theirs(batch), theirGradients(batch), ourGradients(run, batch)]
  for (const trainer of all) for (let index = 0; index < steps; index++) await trainer.step()
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = all.map(({ loss }) => loss())
  if (!(Math.abs(first - second) <= tolerance * second)) throw new Error(`losses differ: ${first} and ${second}`)
  if (!(second < third)) throw new Error(`the loss does not fall: ${third}, after training ${second}`)
  return all
}
