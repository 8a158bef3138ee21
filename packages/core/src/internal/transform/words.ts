/** Words of rules: what several papers say. */
import { add, div, type Expr, fullLike, mul, notEqual, type Operand, pow, sub, where } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import type { Hyper } from "./hyper.ts"

/** The weight `1 − b^t` that an average started at zero has gathered after t values. */
const weight = (b: Hyper, t: Scalar.Scalar): Scalar.Scalar => sub(1, pow(b, t))

/** The average without its bias towards zero, after t values. */
export const debiased = (b: Hyper, average: Expr, t: Scalar.Scalar): Expr => div(average, weight(b, t))

/** Nesterov's look ahead: the debiased mean that the next value would see if it were `g` again. */
export const lookedAhead = (b: Hyper, mean: Expr, t: Scalar.Scalar, g: Expr): Expr =>
  add(mul(b, debiased(b, mean, add(t, 1))), mul(sub(1, b), debiased(b, g, t)))

const isOne: Scalar.Compute = (t) => (t === 1 ? 1 : 0)

/** 1 in the first update, when t is 1; 0 later. */
export const isFirst = (t: Scalar.Scalar): Scalar.Scalar => Scalar.apply("isFirst", isOne, t)

/** `a` if the host's number is not 0, `b` if it is; what is not chosen does not matter, not even NaN. */
export const choose = (condition: Scalar.Scalar, a: Operand, b: Expr): Expr =>
  where(notEqual(fullLike(b, condition), 0), a, b)
