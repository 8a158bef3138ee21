/**
 * `tf.train.*`: the optimizers of TensorFlow.js itself.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Contestant } from "../contestant.ts"
import type { Reference } from "../reference.ts"
import type { Setting } from "../setting.ts"

let contestants = 0

/** With both backends up, tfjs switches at once. */
const on = <A>(backend: string, compute: () => A): A => {
  const previous = tf.getBackend()
  if (previous === backend) return compute()
  void tf.setBackend(backend)
  try {
    return compute()
  } finally {
    void tf.setBackend(previous)
  }
}

/** A contestant of an optimizer on a backend that is up. */
export const tfTrain =
  (backend: "wasm" | "cpu", make: () => tf.Optimizer, reference: Reference) =>
  ({ leaves }: Setting): Contestant => {
    const id = contestants++
    const optimizer = on(backend, make)
    const grads = on(backend, () => leaves.map(({ g, shape }) => tf.tensor(g, [...shape])))
    const variables = on(backend, () =>
      leaves.map(({ shape, x }, index) => tf.variable(tf.tensor(x.slice(), [...shape]), true, `bench/${id}/${index}`))
    )
    const named = Object.fromEntries(variables.map((variable, index) => [variable.name, grads[index] ?? variable]))
    return {
      name: `tf.train, ${backend}`,
      reference,
      step: () => on(backend, () => optimizer.applyGradients(named)),
      read: () => variables.map((variable) => Float32Array.from(variable.dataSync())),
      end: () => {
        optimizer.dispose()
        tf.dispose([...grads, ...variables])
      }
    }
  }
