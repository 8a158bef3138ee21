/** Norms of the units of a layer: of each neuron, head or filter by itself. */
import { broadcastTo, div, type Expr, less, maximum, mul, type Shape, sqrt, square, sum, where } from "../../../Expr.ts"
import { InvalidExpression } from "../../../OptimError.ts"
import type { Hyper } from "../../transform/hyper.ts"

/** Which axes make up a unit. */
export interface UnitwiseNormOptions {
  /** The axes that are summed over. Default: what a layer of that rank usually has. */
  readonly axis?: number | ReadonlyArray<number> | undefined
}

/** The axes of a unit by convention; a vector or a number, whatever axes of size 1 it has, is one unit. */
const conventional = (shape: Shape): ReadonlyArray<number> => {
  const rank = shape.length
  if (shape.filter((size) => size !== 1).length <= 1) return shape.map((_, axis) => axis)
  if (rank === 2 || rank === 3) return [0]
  if (rank === 4 || rank === 5) return shape.slice(1).map((_, axis) => axis)
  const detail = `no convention says what the units of rank ${rank} are, found [${shape.join(", ")}]; pass the option axis`
  throw new InvalidExpression({ operation: "unitwiseNorm", detail })
}

/**
 * The norm of each unit, in the place of all its elements: `√Σx²` over the axes of a unit.
 *
 * Without `axis` a unit is all of a number or vector; a column [·, j] of a matrix; [·, i, j] of rank 3 (heads of
 * attention); a filter [·, ·, ·, j] of rank 4, and so for rank 5 (convolutions). Throws `InvalidExpression` for higher
 * ranks without `axis`. Source: Brock et al. 2021, section 4; `optax.transforms.unitwise_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Transform } from "@optim/core"
 *
 * const kernel = Expr.input(0, { shape: [3, 2], dtype: "float32" })
 * assert.deepStrictEqual(Transform.unitwiseNorm(kernel).shape, [3, 2]) // a norm for each column, three times
 * ```
 */
export const unitwiseNorm = (x: Expr, { axis }: UnitwiseNormOptions = {}): Expr => {
  const axes = axis === undefined ? conventional(x.shape) : typeof axis === "number" ? [axis] : axis
  return broadcastTo(sqrt(sum(square(x), { axes, keepDims: true })), x.shape)
}

/**
 * The gradient, scaled down where the norm of its unit is not below the largest allowed one.
 *
 *     g if norm < maxNorm, else g·(maxNorm / max(norm, divEps))
 *
 * Source: Brock et al. 2021, section 4; `optax.transforms.unitwise_clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Program, Transform } from "@optim/core"
 *
 * const g = Expr.input(0, { shape: [2], dtype: "float32" })
 * const clipped = Transform.unitwiseClip(Transform.unitwiseNorm(g), Expr.fullLike(g, 0.5), g)
 * assert.deepStrictEqual(Program.verify(Program.make([g], [clipped])), [])
 * ```
 */
export const unitwiseClip = (gNorm: Expr, maxNorm: Expr, grad: Expr, divEps: Hyper = 1e-6): Expr =>
  where(less(gNorm, maxNorm), grad, mul(grad, div(maxNorm, maximum(gNorm, divEps))))
