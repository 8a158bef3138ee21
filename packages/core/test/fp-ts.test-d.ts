/** What the compiler knows of transforms in fp-ts. */
import { Transform } from "@optim/core"
import * as T from "@optim/core/fp-ts"
import { function as F, monoid } from "fp-ts"
import type { Monoid } from "fp-ts/lib/Monoid.js"
import type { TaskEither } from "fp-ts/lib/TaskEither.js"
import type * as Effect from "effect/Effect"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import { describe, expectTypeOf, it } from "vitest"

declare const runtime: ManagedRuntime.ManagedRuntime<"service", "unavailable">
declare const effect: Effect.Effect<number, "failed", "service">

const decay = Transform.addDecayedWeights({ weightDecay: 0.1 })

describe("fp-ts", () => {
  it("the monoid says what its members may need", () => {
    expectTypeOf(T.getMonoid<"params">()).toEqualTypeOf<Monoid<T.Composable<"params">>>()
    expectTypeOf(monoid.concatAll(T.getMonoid<"params">())([Transform.scaleByAdam(), decay])).toEqualTypeOf<
      T.Composable<"params">
    >()
    // @ts-expect-error -- the parameters are not among what these may need
    void monoid.concatAll(T.getMonoid())([decay])
  })

  it("a pipe keeps states and gathers needs", () => {
    const piped = F.pipe(Transform.scaleByAdam(), T.andThen(decay), T.multiSteps({ everyKSchedule: 2 }))
    expectTypeOf<Transform.NeedsOf<typeof piped>>().toEqualTypeOf<"params">()
    expectTypeOf<Transform.StateOf<typeof piped>["innerOptState"]>().toEqualTypeOf<
      readonly [Transform.MomentsState, Transform.StateOf<typeof decay>]
    >()
  })

  it("a task-either has the errors of the effect and of the layers", () => {
    expectTypeOf(T.toTaskEither(runtime)(effect)).toEqualTypeOf<TaskEither<"failed" | "unavailable", number>>()
  })
})
