/** The sum of numbers that are symbols. */
import { PyTree } from "@optim/pytree"
import * as Expr from "../../Expr.ts"

/** Expressions of shape [], added up in pairs; 0 for none. */
export const addUp = (numbers: ReadonlyArray<Expr.Expr>): Expr.Expr =>
  PyTree.reduceAssociative(numbers, (a: Expr.Expr, b: Expr.Expr) => Expr.add(a, b), {
    identity: Expr.full({ shape: [], dtype: "float32" }, 0)
  })
