/** Words for rules that keep vectors along the axes of a tensor instead of the tensor. */
import { broadcastTo, type Expr, reshape, type Shape } from "../../Expr.ts"

/** A number is treated as a vector of one element. */
export const withAxes = (shape: Shape): Shape => (shape.length === 0 ? [1] : shape)

/** All axes but this one. */
export const others = (shape: Shape, axis: number): ReadonlyArray<number> =>
  shape.map((_, other) => other).filter((other) => other !== axis)

/** A tensor that lacks this axis, repeated along it. */
export const repeated = (x: Expr, axis: number, shape: Shape): Expr =>
  broadcastTo(
    reshape(
      x,
      shape.map((size, other) => (other === axis ? 1 : size))
    ),
    shape
  )

/** The vector of an axis, repeated along all others. */
export const along = (vector: Expr, axis: number, shape: Shape): Expr =>
  broadcastTo(
    reshape(
      vector,
      shape.map((size, other) => (other === axis ? size : 1))
    ),
    shape
  )
