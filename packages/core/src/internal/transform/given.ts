/** Functions that are given updates and, if they take a second argument, parameters. */
import type { Expr } from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"

/** What a function of updates needs: the parameters, if it takes a second argument. */
export type NeedsOfFn<F> = F extends (updates: never) => unknown ? never : "params"

/** Does a function take parameters, too? */
export const takesParams = (f: (...args: ReadonlyArray<never>) => unknown): boolean => f.length > 1

/** The parameters in the context of an update, if the transform has said that it needs them. */
export const paramsIn = (context: object): Leaves.Leaves<Expr> | undefined =>
  // If they are leaves at all, they are symbols.
  "params" in context && Leaves.isLeaves(context.params) ? (context.params as Leaves.Leaves<Expr>) : undefined
