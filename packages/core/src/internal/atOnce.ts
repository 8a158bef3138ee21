/**
 * Plain code as one operation of a fiber: for what runs in every step of training.
 *
 * Nothing can come between what the code does, and its result reaches whoever goes on in the very operation in which it
 * was made: after `Effect.succeed` a fiber may give way first, and what it was about to hand over gets lost. Checks,
 * execution and the new state as one piece of plain code cost a tenth of what they cost as effects in a row.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { OptimError } from "../OptimError.ts"
import { Tensors } from "../Tensors.ts"
import { raised } from "./attempt.ts"

/** Runs plain code with the layer's service; an `OptimError` that it throws is the effect's failure. */
export const atOnce = <A>(compute: (tensors: Tensors["Service"]) => A): Effect.Effect<A, OptimError, Tensors> =>
  Effect.catchDefect(
    Effect.withFiberSucceed<A, Tensors>(({ context }) => compute(Context.getUnsafe(context, Tensors))),
    raised
  )

/**
 * An effect within a span, in which it makes no others. A span that the default tracer makes is seen by nobody, so there
 * none is made; and the span of `Effect.fn` would record where it was called, which takes 3 µs.
 */
export const spanned = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ cache: { tracer } }) =>
    tracer === undefined || tracer === Tracer.nativeTracer ? effect : Effect.useSpan(name, () => effect)
  )
