/**
 * The library: one fiber per step, everything included.
 */
import { Optimizer, Tensors } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { Contestant } from "../contestant.ts"
import { maxNorm, type Reference, references } from "../reference.ts"
import type { Leaf, Setting } from "../setting.ts"
import type { Home } from "./runtime.ts"

type Tree = Readonly<Record<string, tf.Tensor>>

/** A tree with the leaves in their order. */
export const tree = ({ leaves }: Setting, numbers: (leaf: Leaf) => Float32Array): Tree =>
  Object.fromEntries(
    leaves.map((leaf, index) => [
      `leaf${String(index).padStart(5, "0")}`,
      tf.keep(tf.tensor(numbers(leaf).slice(), [...leaf.shape]))
    ])
  )

/** The numbers of a tree in its order. */
export const readTree = (params: Tree): ReadonlyArray<Float32Array> =>
  Object.keys(params)
    .toSorted()
    .map((name) => Float32Array.from(params[name]?.dataSync() ?? []))

/** An optimizer of whatever state, for those who do not look into it. */
export type Some = <A>(use: <S>(optimizer: Optimizer.Optimizer<S>) => A) => A

/** The old state is kept, then disposed. */
export const pure =
  ({ run }: Home, optimizer: Some, reference: Reference, name = "optim, pure") =>
  (setting: Setting): Contestant =>
    optimizer((self) => {
      const grads = tree(setting, ({ g }) => g)
      const params = tree(setting, ({ x }) => x)
      let state = run(self.init(params))
      let t = 0
      return {
        name,
        reference,
        step: () => {
          const next = run(self.update(t++, grads, state))
          run(Tensors.dispose(state))
          state = next
        },
        read: () => readTree(self.params(state)),
        end: () => run(Tensors.dispose([grads, params, state]))
      }
    })

/** The state is given away. */
export const donated =
  ({ run }: Home, optimizer: Some, reference: Reference, name = "optim, donated") =>
  (setting: Setting): Contestant =>
    optimizer((self) => {
      const grads = tree(setting, ({ g }) => g)
      const params = tree(setting, ({ x }) => x)
      let state = run(self.init(params))
      let t = 0
      return {
        name,
        reference,
        step: () => {
          state = run(self.update(t++, grads, state, { donate: "state" }))
        },
        read: () => readTree(self.params(state)),
        end: () => run(Tensors.dispose([grads, params, state]))
      }
    })

/** Gradients are clipped in place, then the state is given away: from the second step on, they have the norm already. */
export const clippedDonated =
  ({ run }: Home) =>
  (setting: Setting): Contestant => {
    const adam = Optimizer.adam({ stepSize: 1e-3 })
    const params = tree(setting, ({ x }) => x)
    let grads = tree(setting, ({ g }) => g)
    let state = run(adam.init(params))
    let t = 0
    return {
      name: "optim, clipGrads + donated",
      reference: references["clipGrads+adam"],
      step: () => {
        grads = run(Optimizer.clipGrads(grads, maxNorm, { donate: true }))
        state = run(adam.update(t++, grads, state, { donate: "state" }))
      },
      read: () => readTree(adam.params(state)),
      end: () => run(Tensors.dispose([grads, params, state]))
    }
  }

/** Gradients stay; clipped ones are new, and given away with the state. */
export const clippedAnew =
  ({ run }: Home) =>
  (setting: Setting): Contestant => {
    const adam = Optimizer.adam({ stepSize: 1e-3 })
    const params = tree(setting, ({ x }) => x)
    const grads = tree(setting, ({ g }) => g)
    let state = run(adam.init(params))
    let t = 0
    const next = (t: number) =>
      Effect.flatMap(Optimizer.clipGrads(grads, maxNorm), (clipped) => adam.update(t, clipped, state, { donate: true }))
    return {
      name: "optim, clipGrads to new + donated",
      reference: references["clipGrads+adam"],
      step: () => {
        state = run(next(t++))
      },
      read: () => readTree(adam.params(state)),
      end: () => run(Tensors.dispose([grads, params, state]))
    }
  }
