/** Projections onto bounds, element by element. */
import type { PyTree } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import * as Scalar from "../../Scalar.ts"
import type { Tensors } from "../../Tensors.ts"
import type { TensorLike } from "../leaves.ts"
import { bound as nonNegative } from "../optimizer/hyperParameters.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { type Beside, projection, type ProjectionOptions, type Symbols, symbols } from "./project.ts"
import { checked, number } from "./ranges.ts"
import { zipWith } from "./words.ts"

/** A bound of all elements, or a tree of bounds: for each leaf one of its shape, or one number. */
export type Bound<P> = number | P | PyTree.Mapped<P, TensorLike>

const projectNonNegative = projection("Projections.projectionNonNegative", (leaves) =>
  leaves.map((x) => Expr.maximum(x, 0))
)

/**
 * The nearest tree without negative elements.
 *
 *     max(x, 0)
 *
 * Source: `optax.projections.projection_non_negative`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionNonNegative({ w: Float32Array.of(0.5, -1), b: -3 })
 * const { b, w } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([...w.dataSync(), ...b.dataSync()], [0.5, 0, 0])
 * ```
 */
export const projectionNonNegative = <P>(
  tree: P,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> => projectNonNegative(tree, [], options)

/** A bound for each leaf. */
const spread = (bound: Symbols | undefined, leaves: ReadonlyArray<Expr.Expr>): ReadonlyArray<Expr.Operand> =>
  bound instanceof Scalar.Scalar ? leaves.map(() => bound) : symbols(bound)

const clipped = (
  leaves: ReadonlyArray<Expr.Expr>,
  [lower, upper]: ReadonlyArray<Symbols>
): ReadonlyArray<Expr.Expr> => {
  const atLeast = zipWith(leaves, spread(lower, leaves), (x, bound) => Expr.maximum(x, bound))
  return zipWith(atLeast, spread(upper, leaves), (x, bound) => Expr.minimum(x, bound))
}

const boundOf = (name: string, bound: unknown): Beside | number =>
  typeof bound === "number" ? bound : { name, tree: bound, shape: "same or []" }

const projectBox = projection("Projections.projectionBox", clipped)

const checkBounds = Effect.fnUntraced(function* (operation: string, lower: unknown, upper: unknown) {
  if (typeof lower === "number") yield* checked(operation, "lower", lower, number)
  if (typeof upper !== "number") return
  const least = typeof lower === "number" ? lower : Number.NEGATIVE_INFINITY
  const expected = typeof lower === "number" ? `a number ≥ lower, which is ${lower}` : number.expected
  yield* checked(operation, "upper", upper, { expected, allows: (x) => typeof x === "number" && x >= least })
})

/**
 * The nearest tree whose elements lie between bounds.
 *
 *     min(max(x, lower), upper)
 *
 * Bounds are numbers, infinite where there is none, or trees of the same structure. Where trees of bounds cross, the
 * upper one holds. Fails with `StructureMismatch` or `TensorMismatch` if they do not fit, and with
 * `InvalidHyperParameter` unless lower ≤ upper. Source: `optax.projections.projection_box`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const tree = { w: Float32Array.of(0.5, -1), b: 7 }
 * const program = Projections.projectionBox(tree, -0.25, { w: Float32Array.of(0, 2), b: 3 })
 * const { b, w } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([...w.dataSync(), ...b.dataSync()], [0, -0.25, 3])
 * ```
 */
export const projectionBox = <P>(
  tree: P,
  lower: Bound<P>,
  upper: Bound<P>,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checkBounds("Projections.projectionBox", lower, upper),
    projectBox(tree, [boundOf("lower", lower), boundOf("upper", upper)], options)
  )

const projectHypercube = projection("Projections.projectionHypercube", clipped)

/**
 * The nearest tree whose elements lie between 0 and a scale, 1 if left out.
 *
 *     min(max(x, 0), scale)
 *
 * The scale is a number or a tree of the same structure. Fails like `projectionBox`. Source:
 * `optax.projections.projection_hypercube`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionHypercube(Float32Array.of(-1, 0.25, 5))
 * const x = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(Array.from(x.dataSync()), [0, 0.25, 1])
 * ```
 */
export const projectionHypercube = <P>(
  tree: P,
  scale: Bound<P> = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    typeof scale === "number"
      ? checked("Projections.projectionHypercube", "scale", scale, nonNegative)
      : Effect.succeed(scale),
    projectHypercube(tree, [0, boundOf("scale", scale)], options)
  )

const projectLinfBall = projection("Projections.projectionLinfBall", clipped)

/**
 * The nearest tree whose elements are at most as large as a scale, 1 if left out, in either direction.
 *
 *     min(max(x, −scale), scale)
 *
 * Fails with `InvalidHyperParameter` unless the scale is ≥ 0. Source: `optax.projections.projection_linf_ball`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionLinfBall(Float32Array.of(-7, 0.25, 5), 2)
 * const x = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(Array.from(x.dataSync()), [-2, 0.25, 2])
 * ```
 */
export const projectionLinfBall = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionLinfBall", "scale", scale, nonNegative),
    projectLinfBall(tree, [-scale, scale], options)
  )
