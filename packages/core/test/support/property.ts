/** Laws as properties: an effect that must hold for every value, and that must leave no tensor behind. */
import { Tensors } from "@optim/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { leavesNothing } from "./memory.ts"

/** The seed and the number of runs; a failure prints the shrunk input. */
const runs = { seed: 17, numRuns: 10 } as const

/**
 * The part of the runs that is made in a browser: it has the engine of Node, where all are made, and a shader takes a
 * while to compile without a graphics card.
 */
const efforts: { readonly [backend: string]: number } = { wasm: 0.3, cpu: 0.3, webgl: 0.05, webgpu: 0.05 }

const isBrowser = "document" in globalThis

/** How much of what is tried over and over is tried here: 1 for all of it. */
export const effort: Effect.Effect<number, never, Tensors.Tensors> = Effect.map(Tensors.Tensors, ({ backend }) =>
  isBrowser ? (efforts[backend] ?? 1) : 1
)

export const forAll = <A>(
  arbitrary: fc.Arbitrary<A>,
  check: (value: A) => Effect.Effect<void, unknown, Tensors.Tensors | Scope.Scope>,
  parameters: fc.Parameters<[A]> = {}
): Effect.Effect<void, never, Tensors.Tensors> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Tensors.Tensors>()
    const law = fc.asyncProperty(arbitrary, (value) =>
      Effect.runPromiseWith(context)(leavesNothing(Effect.suspend(() => check(value))))
    )
    const all = { ...runs, ...parameters }
    const numRuns = Math.ceil((all.numRuns ?? runs.numRuns) * (yield* effort))
    yield* Effect.promise(() => fc.assert(law, { ...all, numRuns }))
  })
