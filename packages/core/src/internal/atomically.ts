/**
 * Operations that hand over tensors without a gap in which they could get lost.
 *
 * A fiber gives way to others after some number of steps, and an interruption is seen when it goes on. Were that
 * between the moment in which a donated state is consumed and the moment in which its successor reaches the caller,
 * both would be gone. So a fiber does not give way within these operations; what they do is synchronous and short.
 * What follows is the caller's: who must not lose a result keeps it within one uninterruptible region, as `Train` and
 * `Tensors.scoped` do.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"

/** The same operation, in which the fiber runs through. */
export const atomically =
  <Args extends ReadonlyArray<unknown>, A, E, R>(operation: (...args: Args) => Effect.Effect<A, E, R>) =>
  (...args: Args): Effect.Effect<A, E, R> =>
    Effect.provideService(operation(...args), References.PreventSchedulerYield, true)
