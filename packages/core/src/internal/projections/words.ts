/** The words that projections are written in: what whole trees add up to. */
import * as Expr from "../../Expr.ts"
import { addUp } from "../trace/addUp.ts"

type Leaves = ReadonlyArray<Expr.Expr>

/** Leaves of two trees of one structure, in pairs. */
export const zipWith = <Y>(x: Leaves, y: ReadonlyArray<Y>, combine: (x: Expr.Expr, y: Y) => Expr.Expr): Leaves =>
  x.map((leaf, index) => {
    const other = y[index]
    if (other === undefined) throw new RangeError("both trees have the same structure")
    return combine(leaf, other)
  })

/** ⟨x, y⟩ over all elements. */
export const vdot = (x: Leaves, y: Leaves): Expr.Expr => addUp(zipWith(x, y, (a, b) => Expr.sum(Expr.mul(a, b))))

/** Σ |x| over all elements. */
export const norm1 = (x: Leaves): Expr.Expr => addUp(x.map((leaf) => Expr.sum(Expr.abs(leaf))))

/** √Σ x² over all elements. */
export const norm2 = (x: Leaves): Expr.Expr => Expr.sqrt(vdot(x, x))
