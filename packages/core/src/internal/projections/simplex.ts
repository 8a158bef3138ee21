/** Projections onto what adds up to a given number. */
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import type * as Scalar from "../../Scalar.ts"
import type { Tensors } from "../../Tensors.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { sizeOf } from "../trace/shape.ts"
import { number, projection, type ProjectionOptions } from "./project.ts"
import { checked, positive } from "./ranges.ts"
import { norm1, zipWith } from "./words.ts"

type Leaves = ReadonlyArray<Expr.Expr>

const joined = (leaves: Leaves): Expr.Expr => {
  const vectors = leaves.map((leaf) => Expr.reshape(leaf, [sizeOf(leaf.shape)]))
  const [first] = vectors
  return first !== undefined && vectors.length === 1 ? first : Expr.concat(vectors)
}

/**
 * τ with Σ max(z − τ, 0) = s, for z ≤ 0 whose largest element is 0, by Newton's method from τ = −s.
 *
 * With g(τ) = Σ max(z − τ, 0) − s and c(τ) = |{z > τ}|, a step is τ + g/c. g is convex and −c its slope, so τ rises
 * towards the solution, and g′/g + c′/c ≤ 1 from one step to the next, hence g′c′ ≤ gc/4. It starts with gc ≤ s·n² and
 * c stays ≥ 1: after log₂ n + 12 steps g ≤ s/2²⁴, less than float32 can tell. Where a sort needs n·log n comparisons in
 * the worst case, this is a few passes that fuse.
 */
const threshold = (z: Expr.Expr, scale: Scalar.Scalar): Expr.Expr => {
  const steps = Math.ceil(Math.log2(Math.max(1, sizeOf(z.shape)))) + 12
  let tau = Expr.full({ shape: [], dtype: "float32" }, Expr.neg(scale))
  for (let step = 0; step < steps; step++) {
    const above = Expr.greater(z, tau)
    const excess = Expr.sub(Expr.sum(Expr.where(above, Expr.sub(z, tau), 0)), scale)
    const count = Expr.sum(Expr.cast(above, "float32"))
    tau = Expr.add(tau, Expr.div(excess, Expr.maximum(count, 1)))
  }
  return tau
}

/** max(x − t, 0) with the t for which they add up to the scale; distances from the largest element keep their digits. */
const onSimplex = (leaves: Leaves, scale: Scalar.Scalar): Leaves => {
  if (leaves.length === 0) return leaves
  const x = joined(leaves)
  const peak = Expr.max(x)
  const tau = threshold(Expr.sub(x, peak), scale)
  return leaves.map((leaf) => Expr.maximum(Expr.sub(Expr.sub(leaf, peak), tau), 0))
}

const onL1Sphere = (leaves: Leaves, scale: Scalar.Scalar): Leaves => {
  const sizes = onSimplex(
    leaves.map((x) => Expr.abs(x)),
    scale
  )
  return zipWith(leaves, sizes, (x, size) => Expr.mul(Expr.sign(x), size))
}

const projectSimplex = projection("Projections.projectionSimplex", (leaves, [scale]) =>
  onSimplex(leaves, number(scale))
)

/**
 * The nearest tree of non-negative elements that add up to a scale, 1 if left out: a distribution.
 *
 *     max(x − t, 0), with the t for which Σ max(x − t, 0) = scale
 *
 * All elements of the tree are one vector. Fails with `InvalidHyperParameter` unless scale > 0. Source: Michelot 1986;
 * `optax.projections.projection_simplex`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionSimplex({ a: Float32Array.of(1, 0.5), b: -1 })
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([...a.dataSync(), ...b.dataSync()], [0.75, 0.25, 0])
 * ```
 */
export const projectionSimplex = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionSimplex", "scale", scale, positive),
    projectSimplex(tree, [scale], options)
  )

const projectL1Sphere = projection("Projections.projectionL1Sphere", (leaves, [scale]) =>
  onL1Sphere(leaves, number(scale))
)

/**
 * The nearest tree whose absolute values add up to a scale, 1 if left out.
 *
 *     sign(x)·projectionSimplex(|x|)
 *
 * All elements of the tree are one vector. An element that is 0 stays 0, as in the reference, even where there is no
 * point of the sphere without it. Fails with `InvalidHyperParameter` unless scale > 0. Source: Duchi et al. 2008;
 * `optax.projections.projection_l1_sphere`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionL1Sphere(Float32Array.of(1, -0.5, 0.125))
 * const x = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(Array.from(x.dataSync()), [0.75, -0.25, 0])
 * ```
 */
export const projectionL1Sphere = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionL1Sphere", "scale", scale, positive),
    projectL1Sphere(tree, [scale], options)
  )

const projectL1Ball = projection("Projections.projectionL1Ball", (leaves, [scale]) => {
  const radius = number(scale)
  const isInside = Expr.lessEqual(norm1(leaves), radius)
  const sphere = onL1Sphere(leaves, radius)
  return zipWith(leaves, sphere, (x, nearest) => Expr.where(isInside, x, nearest))
})

/**
 * The nearest tree whose absolute values add up to at most a scale, 1 if left out: it is sparse.
 *
 *     x if Σ|x| ≤ scale, else projectionL1Sphere(x)
 *
 * All elements of the tree are one vector. Fails with `InvalidHyperParameter` unless scale > 0. Source: Duchi et al.
 * 2008; `optax.projections.projection_l1_ball`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const project = (...x: ReadonlyArray<number>) =>
 *   Effect.map(Projections.projectionL1Ball(Float32Array.from(x)), (tensor) => Array.from(tensor.dataSync()))
 * const both = Effect.all([project(0.25, -0.5), project(1, -0.5)])
 * const [inside, outside] = await Effect.runPromise(both.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([inside, outside], [[0.25, -0.5], [0.75, -0.25]])
 * ```
 */
export const projectionL1Ball = <P>(
  tree: P,
  scale = 1,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionL1Ball", "scale", scale, positive),
    projectL1Ball(tree, [scale], options)
  )
