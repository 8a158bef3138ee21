/**
 * The norm of a tree, and gradients clipped by it.
 *
 * Both are one program over the whole tree: the norm stays on the device until somebody asks for the number.
 */
import { PyTree } from "@optim/pytree"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import type { OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import { numberOf, treeOf } from "../trees/onTrees.ts"
import { bound } from "./hyperParameters.ts"
import type { Promoted } from "./rule.ts"

/** How gradients are clipped. */
export interface ClipOptions {
  /** Give the gradients away: they must not be used again, and their memory serves the clipped ones. */
  readonly donate?: boolean | undefined
}

const norm = numberOf({ operation: "Optimizer.l2Norm", trace: (_, tree) => Leaves.globalNorm(tree) })

/** What is done to all leaves of a tree together. */
export type Trace = (leaves: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>

/** Leaves whose norm, taken over all of them, is at most so much. */
export const clipLeaves = (maxNorm: Expr.Host, grads: Leaves.Leaves<Expr.Expr>): Leaves.Leaves<Expr.Expr> => {
  const total = Leaves.globalNorm(grads)
  // A gradient times 1 is that gradient, so all that is chosen is a number.
  const factor = Expr.where(Expr.less(total, maxNorm), 1, Expr.div(maxNorm, total))
  return Leaves.map(grads, (g) => Expr.mul(g, factor))
}

/** The leaves of a tree whose norm is at most so much. */
export const clip =
  (maxNorm: Expr.Host): Trace =>
  (leaves) =>
    clipLeaves(maxNorm, Leaves.make(PyTree.structure(leaves.map(() => 0)), leaves)).items

const clipTree = treeOf({
  operation: "Optimizer.clipGrads",
  numbers: { maxNorm: bound },
  trace: ({ maxNorm }, grads) => clipLeaves(maxNorm, grads)
})

/**
 * The Euclidean norm of all elements of a tree, taken as one vector: `√Σ⟨x, x⟩`. An empty tree has norm 0.
 *
 * Source: `jax.example_libraries.optimizers.l2_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const norm = Optimizer.l2Norm({ a: Float32Array.of(2, 3), b: 6 })
 * assert.strictEqual(await Effect.runPromise(norm.pipe(Effect.provide(Cpu.layer))), 7)
 * ```
 */
export const l2Norm: <P>(tree: P) => Effect.Effect<number, OptimError, Tensors> = (tree) => norm({ trees: [tree] })

/**
 * Gradients whose norm, over the whole tree, is at most `maxNorm`.
 *
 *     n = l2Norm(g)        g ← g if n < maxNorm, else g·(maxNorm / n)
 *
 * The result is new and belongs to the caller; with `{ donate: true }` the given gradients are consumed. A gradient with
 * an infinite or undefined element gives NaN, as in the reference. Fails with `InvalidHyperParameter` unless maxNorm ≥ 0.
 * Source: Pascanu, Mikolov & Bengio 2013; `jax.example_libraries.optimizers.clip_grads`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Optimizer.clipGrads({ a: 30, b: 40 }, 5)
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([a.dataSync()[0], b.dataSync()[0]], [3, 4])
 * ```
 */
export const clipGrads: {
  (maxNorm: number, options?: ClipOptions): <P>(grads: P) => Effect.Effect<Promoted<P>, OptimError, Tensors>
  <P>(grads: P, maxNorm: number, options?: ClipOptions): Effect.Effect<Promoted<P>, OptimError, Tensors>
} = dual(
  (args) => typeof args[1] === "number",
  <P>(grads: P, maxNorm: number, { donate = false }: ClipOptions = {}) =>
    // The same structure with a tensor for every leaf.
    clipTree({ trees: [grads], numbers: { maxNorm }, donate }) as Effect.Effect<Promoted<P>, OptimError, Tensors>
)
