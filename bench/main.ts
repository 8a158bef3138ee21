/**
 * One optimizer step on wasm, ours against `tf.train`: `pnpm bench`.
 *
 * Both update float32 parameters from given gradients; making and disposing the gradients is part of neither.
 */
import { Optimizer, Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { type Contestant, measure } from "./measure.ts"

interface Case {
  readonly name: string
  readonly leaves: number
  readonly size: number
}

const cases: ReadonlyArray<Case> = [
  { name: "10 x 10", leaves: 10, size: 10 },
  { name: "1 x 10,000", leaves: 1, size: 10_000 },
  { name: "1 x 1,000,000", leaves: 1, size: 1_000_000 },
  { name: "200 x 5,000", leaves: 200, size: 5_000 }
]

interface Pair {
  readonly name: string
  readonly ours: (at: Case) => Promise<Contestant>
  readonly theirs: () => tf.Optimizer
}

const pairs: ReadonlyArray<Pair> = [
  { name: "sgd", ours: (at) => optim(Optimizer.sgd({ stepSize: 1e-3 }), at), theirs: () => tf.train.sgd(1e-3) },
  {
    name: "momentum",
    ours: (at) => optim(Optimizer.momentum({ stepSize: 1e-3, mass: 0.9 }), at),
    theirs: () => tf.train.momentum(1e-3, 0.9)
  },
  { name: "adam", ours: (at) => optim(Optimizer.adam({ stepSize: 1e-3 }), at), theirs: () => tf.train.adam(1e-3) }
]

const runtime = ManagedRuntime.make(Wasm.layer)

const normal = ({ leaves, size }: Case): ReadonlyArray<tf.Tensor> =>
  Array.from({ length: leaves }, (_, seed) => tf.keep(tf.randomNormal([size], 0, 1, "float32", seed)))

/** A pure update whose predecessor is disposed: gradients are the same tensors in every step. */
const optim = async <S>(optimizer: Optimizer.Optimizer<S>, at: Case): Promise<Contestant> => {
  const grads = normal(at)
  let state = await runtime.runPromise(optimizer.init(normal(at)))
  let count = 0
  const step = () =>
    runtime.runSync(
      Effect.gen(function* () {
        const next = yield* optimizer.update(count++, grads, state)
        yield* Tensors.dispose(state)
        state = next
      })
    )
  return { name: "optim", step, end: () => runtime.runSync(Tensors.dispose([grads, state])) }
}

const tfTrain = (name: string, optimizer: tf.Optimizer, at: Case): Contestant => {
  const grads = normal(at)
  const variables = normal(at).map((tensor, index) => tf.variable(tensor, true, `${name}/${at.name}/${index}`))
  const named = Object.fromEntries(variables.map((variable, index) => [variable.name, grads[index] ?? variable]))
  const end = () => {
    optimizer.dispose()
    tf.dispose([...grads, ...variables])
  }
  return { name, step: () => optimizer.applyGradients(named), end }
}

for (const at of cases) {
  for (const { name, ours, theirs } of pairs) {
    // The layer brings the backend up before tfjs makes its first tensor.
    await runtime.runPromise(Tensors.Tensors)
    const contestants = [await ours(at), tfTrain(`tf.train.${name}`, theirs(), at)]
    for (const { name: contestant, nanoseconds, ratio } of await measure(contestants)) {
      const perElement = (nanoseconds / (at.leaves * at.size)).toFixed(2)
      console.log(
        [
          name,
          at.name,
          contestant,
          `${(nanoseconds / 1e3).toFixed(1)} us`,
          `${perElement} ns/element`,
          `x ${ratio.toFixed(2)}`
        ].join("\t")
      )
    }
  }
}
await runtime.dispose()
