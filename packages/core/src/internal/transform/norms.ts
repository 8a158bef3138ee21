/** The size of one tensor, as expressions of shape []. */
import { div, type Expr, sqrt, square, sum } from "../../Expr.ts"
import { sizeOf } from "../trace/shape.ts"

/** Σx². */
export const squaredNorm = (x: Expr): Expr => sum(square(x))

/** √Σx². */
export const norm = (x: Expr): Expr => sqrt(squaredNorm(x))

/** Σx over some axes or all, divided by how many there are: a sum in the kernel that makes x. */
export const mean = (x: Expr, axes: ReadonlyArray<number> = x.shape.map((_, axis) => axis)): Expr =>
  div(sum(x, { axes }), sizeOf(axes.map((axis) => x.shape[axis] ?? 1)))

/** √(Σx²/n): the root mean square. */
export const rms = (x: Expr): Expr => sqrt(mean(square(x)))
