/** Laws as properties: an effect that must hold for every value, and that must leave no tensor behind. */
import type { Tensors } from "@optim/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { leavesNothing } from "./memory.ts"

/** The seed and the number of runs; a failure prints the shrunk input. */
const runs = { seed: 17, numRuns: 10 } as const

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
    yield* Effect.promise(() => fc.assert(law, { ...runs, ...parameters }))
  })
