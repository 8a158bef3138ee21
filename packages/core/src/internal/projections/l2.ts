/** Projections onto what is near, or at a given distance from, the origin. */
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import { nonNegative } from "../optimizer/hyperParameters.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { number, projection, type ProjectionOptions } from "./project.ts"
import { checked } from "./ranges.ts"
import { norm2 } from "./words.ts"

const projectL2Sphere = projection("Projections.projectionL2Sphere", (leaves, [scale]) => {
  const factor = Expr.div(number(scale), norm2(leaves))
  return leaves.map((x) => Expr.mul(x, factor))
})

/**
 * The nearest tree whose Euclidean norm is a scale, 1 if left out.
 *
 *     x·(scale / ‖x‖)
 *
 * All elements of the tree are one vector. Zeros have no nearest point and give NaN. Fails with `InvalidHyperParameter`
 * unless the scale is finite and ≥ 0. Source: `optax.projections.projection_l2_sphere`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionL2Sphere({ a: 30, b: -40 }, 5)
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([a.dataSync()[0], b.dataSync()[0]], [3, -4])
 * ```
 */
export const projectionL2Sphere = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionL2Sphere", "scale", scale, nonNegative),
    projectL2Sphere(tree, [scale], options)
  )

const projectL2Ball = projection("Projections.projectionL2Ball", (leaves, [scale]) => {
  const radius = number(scale)
  const norm = norm2(leaves)
  const isInside = Expr.lessEqual(norm, radius)
  const factor = Expr.div(radius, norm)
  return leaves.map((x) => Expr.where(isInside, x, Expr.mul(x, factor)))
})

/**
 * The nearest tree whose Euclidean norm is at most a scale, 1 if left out.
 *
 *     x if ‖x‖ ≤ scale, else x·(scale / ‖x‖)
 *
 * All elements of the tree are one vector. Fails with `InvalidHyperParameter` unless the scale is finite and ≥ 0.
 * Source: `optax.projections.projection_l2_ball`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const project = (scale: number) =>
 *   Effect.map(Projections.projectionL2Ball({ a: 3, b: 4 }, scale), ({ a, b }) => [...a.dataSync(), ...b.dataSync()])
 * const both = Effect.all([project(10), project(2.5)])
 * const [inside, outside] = await Effect.runPromise(both.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([inside, outside], [[3, 4], [1.5, 2]])
 * ```
 */
export const projectionL2Ball = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionL2Ball", "scale", scale, nonNegative),
    projectL2Ball(tree, [scale], options)
  )
