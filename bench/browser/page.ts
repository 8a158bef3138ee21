/// <reference types="vite/client" />
/**
 * The page of the benchmark in a browser: optimizers by optim and by tfjs on the same backend, side by side.
 *
 * A device computes in its own time, so a turn is many steps and ends when a number of the last one has been read.
 */
import { Optimizer, Tensors } from "@optim/core"
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm"
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url"
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url"
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { median } from "../measure.ts"
import { type Count, difference, type Home, homes } from "./homes.ts"
import type { Bench, StepResult } from "./result.ts"
import { check } from "../contestant.ts"
import { adamJitted } from "../contestants/jax.ts"
import { fill } from "../setting.ts"

setWasmPaths({
  "tfjs-backend-wasm.wasm": plain,
  "tfjs-backend-wasm-simd.wasm": simd,
  "tfjs-backend-wasm-threaded-simd.wasm": threaded
})

type Make = (home: Home, kase: Case) => Promise<Contestant | undefined>

interface Case {
  readonly name: string
  readonly shapes: ReadonlyArray<readonly [number, number]>
  readonly makers: ReadonlyArray<Make>
}

const repeated = (count: number, rows: number, columns: number): Case["shapes"] =>
  Array.from({ length: count }, () => [rows, columns] as const)

const numbersOf = ([rows, columns]: readonly [number, number]): Tensor =>
  tf.tensor2d(
    Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(index)),
    [rows, columns]
  )

interface Contestant {
  readonly name: string
  readonly step: (t: number) => Promise<void>
  /** Waits until all steps are done. */
  readonly settle: () => Promise<unknown>
  readonly end: () => void
}

const optim =
  <S>(optimizer: Optimizer.Optimizer<S>): Make =>
  async ({ run }, { shapes }) => {
    const grads = shapes.map(numbersOf)
    const params = shapes.map(numbersOf)
    let state = await run(optimizer.init(params))
    return {
      name: "optim",
      step: async (t) => {
        state = await run(optimizer.update(t, grads, state, { donate: "state" }))
      },
      settle: () => optimizer.params(state)[0]?.data() ?? Promise.resolve(),
      end: () => {
        void run(Tensors.dispose([...grads, ...params, state]))
      }
    }
  }

const tfjs =
  (make: () => tf.Optimizer): Make =>
  async (_, { shapes }) => {
    const optimizer = make()
    const grads = shapes.map(numbersOf)
    const variables = shapes.map((shape, index) => tf.variable(numbersOf(shape), true, `v${index}`))
    const named = grads.map((tensor, index) => ({ name: variables[index]?.name ?? "", tensor }))
    return {
      name: "tf.train",
      step: async () => optimizer.applyGradients(named),
      settle: () => variables[0]?.data() ?? Promise.resolve(),
      end: () => {
        optimizer.dispose()
        tf.dispose([...grads, ...variables])
      }
    }
  }

const jax = async ({ name }: Home, kase: Case): Promise<Contestant | undefined> => {
  if (name !== "wasm" && name !== "webgpu") return undefined
  const setting = fill(kase)
  const adam = await adamJitted(name)(setting)
  await check(adam, setting)
  return {
    name: "jax-js",
    // It hands its kernels over when it is waited for.
    step: async () => adam.step(),
    settle: () => Promise.resolve(),
    end: adam.end
  }
}

/** jax-js, or why it does not take part. */
const jaxOrWhyNot: Make = async (home, kase) => {
  try {
    return await jax(home, kase)
  } catch (error) {
    console.warn(`jax-js on ${home.name}, ${kase.name}: ${String(error)}`)
    return undefined
  }
}

const rate = 1e-3

const adam = [optim(Optimizer.adam({ stepSize: rate })), tfjs(() => tf.train.adam(rate)), jaxOrWhyNot]

const large = repeated(1, 1000, 1000)

const cases: ReadonlyArray<Case> = [
  { name: "adam, 1e4 in one leaf", shapes: repeated(1, 100, 100), makers: adam },
  { name: "adam, 1e6 in one leaf", shapes: large, makers: adam },
  { name: "adam, 10 leaves of 1e5", shapes: repeated(10, 250, 400), makers: adam },
  { name: "adam, 200 leaves of 64", shapes: repeated(200, 8, 8), makers: adam },
  {
    name: "sgd, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.sgd({ stepSize: rate })), tfjs(() => tf.train.sgd(rate))]
  },
  {
    name: "momentum, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.momentum({ stepSize: rate, mass: 0.9 })), tfjs(() => tf.train.momentum(rate, 0.9))]
  },
  {
    name: "rmsprop, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.rmsprop({ stepSize: rate })), tfjs(() => tf.train.rmsprop(rate))]
  },
  {
    name: "adagrad, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.adagrad({ stepSize: rate })), tfjs(() => tf.train.adagrad(rate))]
  },
  {
    name: "adamax, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.adamax({ stepSize: rate })), tfjs(() => tf.train.adamax(rate))]
  },
  { name: "sm3, 1e6 in one leaf", shapes: large, makers: [optim(Optimizer.sm3({ stepSize: rate }))] },
  {
    name: "clipped adam, 1e6 in one leaf",
    shapes: large,
    makers: [optim(Optimizer.clipped(Optimizer.adam({ stepSize: rate }), { maxNorm: 1 }))]
  }
]

const launchesOf = (contestant: string, home: string, { dispatches, ours, theirs }: Count): number | undefined => {
  if (contestant === "jax-js") return home === "webgpu" ? dispatches : undefined
  return contestant === "optim" && home !== "wasm" ? ours : theirs
}

const turn = async ({ settle, step }: Contestant, from: number, steps: number): Promise<number> => {
  const start = performance.now()
  for (let t = from; t < from + steps; t++) await step(t)
  await settle()
  return (performance.now() - start) / steps
}

const measure = async (home: Home, kase: Case, quick: boolean): Promise<ReadonlyArray<StepResult>> => {
  const contestants: Array<Contestant> = []
  for (const make of kase.makers) {
    const contestant = await make(home, kase)
    if (contestant !== undefined) contestants.push(contestant)
  }
  const counted: Array<Omit<StepResult, "median" | "least">> = []
  const steps: Array<number> = []
  for (const contestant of contestants) {
    await turn(contestant, 0, 3)
    const before = home.count()
    for (let t = 3; t < 5; t++) await contestant.step(t)
    const after = home.count()
    await contestant.settle()
    const isOurs = contestant.name === "optim"
    const done = difference(after, before)
    const launches = launchesOf(contestant.name, home.name, done)
    counted.push({
      backend: home.name,
      case: kase.name,
      contestant: contestant.name,
      launches: launches === undefined ? undefined : launches / 2,
      bytesRead: isOurs ? done.bytesRead / 2 : undefined,
      bytesWritten: isOurs ? done.bytesWritten / 2 : undefined,
      readBacks: contestant.name === "jax-js" ? undefined : done.readBacks / 2
    })
    const once = await turn(contestant, 5, 2)
    steps.push(Math.max(2, Math.min(500, Math.round((quick ? 50 : 250) / once))))
  }
  const times = contestants.map((): Array<number> => [])
  // In turns, so that a busy moment of the machine meets both.
  for (let round = 0; round < (quick ? 3 : 9); round++) {
    for (const [index, contestant] of contestants.entries())
      times[index]?.push(await turn(contestant, 10, steps[index] ?? 2))
  }
  for (const contestant of contestants) contestant.end()
  return counted.map((each, index) => ({
    ...each,
    median: median(times[index] ?? []),
    least: Math.min(...(times[index] ?? []))
  }))
}

const run = async (quick: boolean): Promise<ReadonlyArray<StepResult>> => {
  const results: Array<StepResult> = []
  for (const home of homes) {
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const open = yield* home
          yield* Effect.promise(() => tf.setBackend(open.name))
          for (const kase of cases) results.push(...(yield* Effect.promise(() => measure(open, kase, quick))))
        })
      )
    )
  }
  return results
}

Object.assign(globalThis, { bench: { run } satisfies Bench })
