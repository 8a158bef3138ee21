/** Projections onto lines, hyperplanes and halfspaces. */
import type { PyTree } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import type { TensorLike } from "../leaves.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { type Beside, number, projection, type ProjectionOptions, symbols } from "./project.ts"
import { checked, finite } from "./ranges.ts"
import { vdot, zipWith } from "./words.ts"

/** A tree of the same structure and shapes; its leaves may also be numbers or typed arrays. */
export type Like<P> = P | PyTree.Mapped<P, TensorLike>

type Leaves = ReadonlyArray<Expr.Expr>

const besideOf = (tree: unknown): Beside => ({ name: "a", tree, shape: "same" })

const scaled = (a: Leaves, factor: Expr.Expr): Leaves => a.map((leaf) => Expr.mul(leaf, factor))

const added = (x: Leaves, y: Leaves): Leaves => zipWith(x, y, (a, b) => Expr.add(a, b))

const projectVector = projection("Projections.projectionVector", (x, [direction]) => {
  const a = symbols(direction)
  return scaled(a, Expr.div(vdot(x, a), vdot(a, a)))
})

/**
 * The nearest multiple of a tree.
 *
 *     a·⟨x, a⟩/⟨a, a⟩
 *
 * All elements of a tree are one vector. Fails with `StructureMismatch` or `TensorMismatch` unless `a` has the structure
 * and shapes of `x`. Source: `optax.projections.projection_vector`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionVector({ a: 1, b: 3 }, { a: 1, b: 1 })
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([a.dataSync()[0], b.dataSync()[0]], [2, 2])
 * ```
 */
export const projectionVector = <P>(
  x: P,
  a: Like<P>,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> => projectVector(x, [besideOf(a)], options)

/** How far along a the hyperplane ⟨a, y⟩ = b lies. */
const distance = (x: Leaves, a: Leaves, b: Expr.Operand): Expr.Expr => Expr.div(Expr.sub(b, vdot(x, a)), vdot(a, a))

const projectHyperplane = projection("Projections.projectionHyperplane", (x, [normal, b]) => {
  const a = symbols(normal)
  return added(x, scaled(a, distance(x, a, number(b))))
})

/**
 * The nearest tree with a given inner product with another one.
 *
 *     x + a·(b − ⟨x, a⟩)/⟨a, a⟩
 *
 * All elements of a tree are one vector. Fails with `StructureMismatch` or `TensorMismatch` unless `a` has the structure
 * and shapes of `x`, and with `InvalidHyperParameter` unless `b` is finite. Source:
 * `optax.projections.projection_hyperplane`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Projections.projectionHyperplane({ a: 1, b: 3 }, { a: 1, b: 1 }, 6)
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([a.dataSync()[0], b.dataSync()[0]], [2, 4])
 * ```
 */
export const projectionHyperplane = <P>(
  x: P,
  a: Like<P>,
  b: number,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionHyperplane", "b", b, finite),
    projectHyperplane(x, [besideOf(a), b], options)
  )

const projectHalfspace = projection("Projections.projectionHalfspace", (x, [normal, b]) => {
  const a = symbols(normal)
  return added(x, scaled(a, Expr.minimum(distance(x, a, number(b)), 0)))
})

/**
 * The nearest tree whose inner product with another one is at most a given number.
 *
 *     x + a·min((b − ⟨x, a⟩)/⟨a, a⟩, 0)
 *
 * Trees and errors as for `projectionHyperplane`. Source: `optax.projections.projection_halfspace`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Projections } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const project = (b: number) =>
 *   Effect.map(Projections.projectionHalfspace({ a: 1, b: 3 }, { a: 1, b: 1 }, b), ({ a, b }) => [
 *     ...a.dataSync(),
 *     ...b.dataSync()
 *   ])
 * const [inside, outside] = await Effect.runPromise(Effect.all([project(6), project(2)]).pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([inside, outside], [[1, 3], [0, 2]])
 * ```
 */
export const projectionHalfspace = <P>(
  x: P,
  a: Like<P>,
  b: number,
  options: ProjectionOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  Effect.andThen(
    checked("Projections.projectionHalfspace", "b", b, finite),
    projectHalfspace(x, [besideOf(a), b], options)
  )
