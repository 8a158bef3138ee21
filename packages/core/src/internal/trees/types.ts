/** The types of functions of trees. */
import type * as Effect from "effect/Effect"
import type { OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import type { Gradients, Promoted } from "../optimizer/rule.ts"

/** A tree that goes with one of type `P`: the same structure, at its leaves tensors, numbers or typed arrays. */
export type Like<P> = NoInfer<Gradients<Promoted<P>>>

/** A tree of tensors with the structure of `P`, made by an effect; it belongs to the caller. */
export type Made<P> = Effect.Effect<Promoted<P>, OptimError, Tensors>

/** A number measured by an effect. */
export type Measured = Effect.Effect<number, OptimError, Tensors>
