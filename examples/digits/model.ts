/**
 * The model: one hidden layer of rectified units, then a softmax over the classes.
 *
 *     logits = relu(x·W₁ + b₁)·W₂ + b₂
 *
 * All of it is plain TensorFlow.js. That the parameters are a tree of tensors is all that an optimizer needs to know.
 */
import { Losses } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Table } from "./data/table.ts"

/** A layer: weights of shape [inputs, outputs], and a bias for each output. */
export interface Dense {
  readonly weights: tf.Tensor2D
  readonly bias: tf.Tensor1D
}

/** What is trained. */
export interface Params {
  readonly hidden: Dense
  readonly output: Dense
}

const hiddenUnits = 128

/** The share of each label that is spread over all classes, which keeps the network from growing too sure of itself. */
const labelSmoothing = 0.1

/** The parameters before the first step: one seed, one start. The caller owns the tensors. */
export const init = ({ classes, columns }: Table, seed: number): Effect.Effect<Params> =>
  Effect.all({
    hidden: dense(columns.length, hiddenUnits),
    output: dense(hiddenUnits, classes.length)
  }).pipe(Random.withSeed(`model ${seed}`))

/** He's initialization: weights of variance 2 / inputs keep a signal at its size through rectified layers. */
const dense = (inputs: number, outputs: number): Effect.Effect<Dense> =>
  Effect.map(normal(inputs * outputs, Math.sqrt(2 / inputs)), (weights) => ({
    weights: tf.tensor2d(weights, [inputs, outputs]),
    bias: tf.zeros([outputs])
  }))

/** Normally distributed numbers, after Box and Muller. */
const normal = (count: number, deviation: number): Effect.Effect<Float32Array> =>
  Effect.map(Random.Random, (random) => {
    const uniform = () => random.nextDoubleUnsafe()
    const draw = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
    return Float32Array.from({ length: count }, () => deviation * draw())
  })

const layer = ({ bias, weights }: Dense, x: tf.Tensor2D): tf.Tensor2D => tf.add(tf.matMul(x, weights), bias)

const logits = ({ hidden, output }: Params, { columns, features, rows }: Table): tf.Tensor2D =>
  layer(output, tf.relu(layer(hidden, tf.tensor2d(features, [rows, columns.length]))))

/** The mean cross entropy between the labels of some rows and what the model takes them for. */
export const loss = (params: Params, rows: Table): tf.Scalar => {
  const labels = tf.cast(tf.oneHot(tf.tensor1d(rows.labels, "int32"), rows.classes.length), "float32")
  return tf.mean(Losses.softmaxCrossEntropy(logits(params, rows), Losses.smoothLabels(labels, labelSmoothing)))
}

/** The most likely class of each row, as indexes. */
export const predict = (params: Params, rows: Table): Int32Array =>
  tf.tidy(() => tf.argMax<tf.Tensor1D>(logits(params, rows), 1).dataSync<"int32">())
