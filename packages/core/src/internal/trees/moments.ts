/** Moments: running averages of updates. */
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { decay, every, mass, nonNegative, type Range } from "../optimizer/hyperParameters.ts"
import { called, type Symbols, treeOf } from "./onTrees.ts"
import type { Like, Made } from "./types.ts"

const words = called("Pass moments that were made for these very updates.", "the updates", "the moments")

const averaging = (powerOf: (g: Expr.Expr, order: Expr.Host) => Expr.Expr) =>
  treeOf({
    operation: "TensorTree.updateMoment",
    words,
    numbers: { decay: mass, order: every },
    trace: ({ decay, order }, updates: Symbols, moments: Symbols) =>
      Leaves.map(updates, moments, (g, m) => Expr.ema(decay, m, powerOf(g, order)))
  })

const mean = averaging((g) => g)
const meanSquare = averaging((g) => Expr.square(g))
const meanPower = averaging((g, order) => Expr.pow(g, order))

/** Which moment, and how slowly it changes. */
export interface MomentOptions {
  /** The share of the old moment that is kept, 0 ≤ decay ≤ 1. */
  readonly decay: number
  /** Of which power of the updates the average is taken: 1, 2, …. */
  readonly order: number
}

/**
 * The running average of a power of updates:
 *
 *     m ← (1−decay)·g^order + decay·m
 *
 * Fails with `InvalidHyperParameter` unless 0 ≤ decay ≤ 1 and order is 1, 2, …. Source: `optax.tree.update_moment`, and
 * `update_moment_per_elem_norm`, which is another one for complex numbers only.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const second = TensorTree.updateMoment({ w: 4 }, { w: 8 }, { decay: 0.75, order: 2 })
 * const program = Effect.map(second, ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 10) // ¼·16 + ¾·8
 * ```
 */
export const updateMoment = <P>(updates: P, moments: Like<P>, { decay, order }: MomentOptions): Made<P> => {
  const run = order === 1 ? mean : order === 2 ? meanSquare : meanPower
  // The structure of the updates with a tensor for every leaf.
  return run({ trees: [updates, moments], numbers: { decay, order } }) as Made<P>
}

const infinity = treeOf({
  operation: "TensorTree.updateInfinityMoment",
  words,
  numbers: { decay: mass, eps: nonNegative },
  trace: ({ decay, eps }, updates: Symbols, moments: Symbols) =>
    Leaves.map(updates, moments, (g, u) => Expr.maximum(Expr.add(Expr.abs(g), eps), Expr.mul(decay, u)))
})

/** How slowly the largest update is forgotten. */
export interface InfinityMomentOptions {
  /** The share of the old moment that is kept, 0 ≤ decay ≤ 1. */
  readonly decay: number
  /** What is added to |g|, ≥ 0. */
  readonly eps: number
}

/**
 * The running maximum of updates, as Adamax keeps it:
 *
 *     u ← max(|g| + eps, decay·u)
 *
 * Fails with `InvalidHyperParameter` unless 0 ≤ decay ≤ 1 and eps ≥ 0. Source: `optax.tree.update_infinity_moment`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const largest = TensorTree.updateInfinityMoment({ w: [-4, 1] }, { w: [6, 6] }, { decay: 0.5, eps: 0 })
 * const program = Effect.map(largest, ({ w }) => w.map((u) => u.dataSync()[0]))
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [4, 3])
 * ```
 */
export const updateInfinityMoment = <P>(updates: P, moments: Like<P>, { decay, eps }: InfinityMomentOptions): Made<P> =>
  // As above.
  infinity({ trees: [updates, moments], numbers: { decay, eps } }) as Made<P>

const correctable: { readonly decay: Range; readonly count: Range } = { decay, count: every }

const corrected = treeOf({
  operation: "TensorTree.biasCorrection",
  numbers: correctable,
  trace: ({ count, decay }, moments: Symbols) =>
    Leaves.map(moments, (m) => Expr.div(m, Expr.sub(1, Expr.pow(decay, count))))
})

/** How a moment came about. */
export interface BiasCorrectionOptions {
  /** The decay that it was updated with, 0 ≤ decay < 1. */
  readonly decay: number
  /** How often it was updated: 1, 2, …. */
  readonly count: number
}

/**
 * A moment that started at zero, divided by the weight that it has gathered so far:
 *
 *     m̂ = m / (1 − decay^count)
 *
 * Fails with `InvalidHyperParameter` unless 0 ≤ decay < 1 and count is 1, 2, …. Source: `optax.tree.bias_correction`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const corrected = TensorTree.biasCorrection({ w: 3 }, { decay: 0.5, count: 2 })
 * const program = Effect.map(corrected, ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 4) // 3 / (1 − ½²)
 * ```
 */
export const biasCorrection = <P>(moments: P, { count, decay }: BiasCorrectionOptions): Made<P> =>
  // As above.
  corrected({ trees: [moments], numbers: { decay, count } }) as Made<P>
