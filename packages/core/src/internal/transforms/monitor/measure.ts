/**
 * Measures: what somebody wants to know of updates.
 *
 * A measure is traced with the update and computed on the device, most often in the pass that makes what it looks at. What
 * it gives stays there, in the state, until somebody reads it.
 */
import { PyTree } from "@optim/pytree"
import { Expr, fullLike } from "../../../Expr.ts"
import type * as Leaves from "../../../Leaves.ts"
import { type NeedsOfFn, paramsIn, takesParams } from "../../transform/given.ts"
import type { Context } from "../../transform/transform.ts"

type Symbols = Leaves.Leaves<Expr>

/** What is computed of the updates, and of the parameters if it takes a second argument: a tensor, or a tree of tensors. */
export type MeasureFn<M = unknown> = (updates: Symbols, params: Symbols) => M

/** A measurement, and what is remembered for the next. */
export interface Measured<S, M> {
  readonly measurement: M
  readonly state: S
}

/** A measure that remembers. */
export interface Measure<in out S, out M, out Needs extends string = never> {
  readonly takesParams: boolean
  /** What there is before the first update; it says which shapes a measurement has. */
  readonly init: (params: Symbols) => Measured<S, M>
  readonly update: (updates: Symbols, state: S, context: Context<Needs>) => Measured<S, M>
}

/** What a function measures at an update. */
export const measuredBy = <F extends MeasureFn>(f: F, updates: Symbols, context: object): ReturnType<F> =>
  // Whoever takes no parameters is given updates in their place, and does not look. It returns what its type says.
  f(updates, paramsIn(context) ?? updates) as ReturnType<F>

/** A tree of the same tensors, none of which has been measured yet: NaN, where there is one. */
export const unmeasured = <M>(measurement: M): M =>
  // Every tensor is one of the same spec.
  PyTree.map(measurement as unknown, (leaf: unknown) =>
    leaf instanceof Expr ? fullLike(leaf, leaf.dtype === "float32" ? Number.NaN : 0) : leaf
  ) as M

/** A function as a measure that remembers nothing. */
export const toMeasure = <F extends MeasureFn>(f: F): Measure<null, ReturnType<F>, NeedsOfFn<F>> => ({
  takesParams: takesParams(f),
  init: (params) => ({ measurement: unmeasured(measuredBy(f, params, { params })), state: null }),
  update: (updates, _, context) => ({ measurement: measuredBy(f, updates, context), state: null })
})
