/** Are all numbers finite? */
import { equal, type Expr, sub, sum, where } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"

/** How many elements are infinite or NaN; x − x is 0 for all others. */
export const nonFinite = (updates: Leaves.Leaves<Expr>): Expr =>
  Leaves.total(Leaves.map(updates, (u) => sum(where(equal(sub(u, u), 0), 0, 1))))
