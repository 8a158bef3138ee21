/** Trees measured: one number for all leaves, read back to the host. */
import { PyTree } from "@optim/pytree"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { InvalidHyperParameter, type OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import { shapeOfLeaf } from "../leaves.ts"
import { nonNegative } from "../optimizer/hyperParameters.ts"
import { sizeOf } from "../trace/shape.ts"
import { tensorLeaves } from "./anyDType.ts"
import { numberOf, type Symbols } from "./onTrees.ts"
import type { Like, Measured } from "./types.ts"

const scalar = (value: number): Expr.Expr => Expr.full({ shape: [], dtype: "float32" }, value)

/** Numbers of all leaves combined in pairs. */
const combined = (
  numbers: Symbols,
  combine: (a: Expr.Expr, b: Expr.Expr) => Expr.Expr,
  identity: number
): Expr.Expr => {
  const result: Expr.Expr = PyTree.reduceAssociative(numbers.items, combine, { identity: scalar(identity) })
  return result
}

const each = (tree: Symbols, measure: (x: Expr.Expr) => Expr.Expr): Symbols => Leaves.map(tree, (x) => measure(x))

const largest = (tree: Symbols): Expr.Expr => combined(each(tree, Expr.max), Expr.maximum, Number.NEGATIVE_INFINITY)

const measureOf = (operation: string, trace: (tree: Symbols) => Expr.Expr): ((tree: unknown) => Measured) => {
  const run = numberOf({ operation, trace: (_, tree: Symbols) => trace(tree) })
  return (tree) => run({ trees: [tree] })
}

/**
 * The sum of all elements; 0 for none. Source: `optax.tree.sum`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const sum = TensorTree.sum({ w: Float32Array.of(1, 2), b: 30 })
 * assert.strictEqual(await Effect.runPromise(sum.pipe(Effect.provide(Cpu.layer))), 33)
 * ```
 */
export const sum: (tree: unknown) => Measured = measureOf("TensorTree.sum", (tree) =>
  Leaves.total(each(tree, Expr.sum))
)

/**
 * The largest element, NaN if one is; −∞ for none. Source: `optax.tree.max`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const max = TensorTree.max({ w: Float32Array.of(-1, -2), b: -30 })
 * assert.strictEqual(await Effect.runPromise(max.pipe(Effect.provide(Cpu.layer))), -1)
 * ```
 */
export const max: (tree: unknown) => Measured = measureOf("TensorTree.max", largest)

/**
 * The smallest element, NaN if one is; +∞ for none. Source: `optax.tree.min`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const min = TensorTree.min({ w: Float32Array.of(1, 2), b: 30 })
 * assert.strictEqual(await Effect.runPromise(min.pipe(Effect.provide(Cpu.layer))), 1)
 * ```
 */
export const min: (tree: unknown) => Measured = measureOf("TensorTree.min", (tree) =>
  combined(each(tree, Expr.min), Expr.minimum, Number.POSITIVE_INFINITY)
)

const absolute = (tree: Symbols): Symbols => each(tree, Expr.abs)

/** Norms of a tree as one vector; without elements, all are 0. */
const norms = {
  1: (tree: Symbols) => Leaves.total(each(absolute(tree), Expr.sum)),
  2: Leaves.globalNorm,
  inf: (tree: Symbols) => Expr.maximum(largest(absolute(tree)), 0)
}

const normOf = (trace: (tree: Symbols) => Expr.Expr) => measureOf("TensorTree.norm", trace)

const squared = (trace: (tree: Symbols) => Expr.Expr) => normOf((tree) => Expr.square(trace(tree)))

const measures = {
  1: { plain: normOf(norms[1]), squared: squared(norms[1]) },
  2: { plain: normOf(norms[2]), squared: normOf(Leaves.squaredNorm) },
  inf: { plain: normOf(norms.inf), squared: squared(norms.inf) }
}

/** Which norm. */
export interface NormOptions {
  /** Σ|x|, √Σx² (by default) or max |x|. */
  readonly ord?: 1 | 2 | "inf" | undefined
  /** The square of it. */
  readonly squared?: boolean | undefined
}

const isOrd = (ord: unknown): ord is keyof typeof measures => ord === 1 || ord === 2 || ord === "inf"

/**
 * The norm of a tree, taken as one vector: √Σ⟨x, x⟩, or with `ord` another; a tree without elements has norm 0.
 *
 * The Euclidean one is `Optimizer.l2Norm`. Fails with `InvalidHyperParameter` for an `ord` that there is not.
 * Source: `optax.tree.norm`, formerly `global_norm`; there the maximum norm of an empty tree is −∞.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const tree = { w: Float32Array.of(2, -3), b: 6 }
 * const all = Effect.all([
 *   TensorTree.norm(tree),
 *   TensorTree.norm(tree, { squared: true }),
 *   TensorTree.norm(tree, { ord: 1 }),
 *   TensorTree.norm(tree, { ord: "inf" })
 * ])
 * assert.deepStrictEqual(await Effect.runPromise(all.pipe(Effect.provide(Cpu.layer))), [7, 49, 11, 6])
 * ```
 */
export const norm = (tree: unknown, { ord = 2, squared = false }: NormOptions = {}): Measured => {
  if (isOrd(ord)) return measures[ord][squared ? "squared" : "plain"](tree)
  const value = String(ord)
  return Effect.fail(
    new InvalidHyperParameter({ optimizer: "TensorTree.norm", parameter: "ord", value, expected: '1, 2 or "inf"' })
  )
}

const product = numberOf({
  operation: "TensorTree.vdot",
  trace: (_, x: Symbols, y: Symbols) => Leaves.total(Leaves.map(x, y, (a, b) => Expr.sum(Expr.mul(a, b))))
})

/**
 * The inner product of two trees, each taken as one vector: Σ⟨x, y⟩. Source: `optax.tree.vdot`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const dot = TensorTree.vdot({ w: Float32Array.of(1, 2), b: 3 }, { w: Float32Array.of(10, 100), b: 1000 })
 * assert.strictEqual(await Effect.runPromise(dot.pipe(Effect.provide(Cpu.layer))), 3210)
 * ```
 */
export const vdot: {
  (y: unknown): (x: unknown) => Measured
  <P>(x: P, y: Like<P>): Measured
} = dual(2, (x: unknown, y: unknown) => product({ trees: [x, y] }))

/** How near is near enough. */
export interface AllCloseOptions {
  /** The relative part of the tolerance, of |y|: 1e-5 by default. */
  readonly rtol?: number | undefined
  /** The absolute part of the tolerance: 1e-8 by default. */
  readonly atol?: number | undefined
  /** Is NaN near NaN? Not by default. */
  readonly equalNan?: boolean | undefined
}

type Tolerances = { readonly atol: Expr.Host; readonly rtol: Expr.Host }

/** |a − b| ≤ atol + rtol·|b|, and infinities that are the same. */
const isClose = (a: Expr.Expr, b: Expr.Expr, { atol, rtol }: Tolerances): Expr.Expr => {
  const tolerance = Expr.add(Expr.mul(rtol, Expr.abs(b)), atol)
  const isNear = Expr.lessEqual(Expr.abs(Expr.sub(a, b)), tolerance)
  const isFinite = Expr.less(Expr.abs(b), Number.POSITIVE_INFINITY)
  return Expr.or(Expr.equal(a, b), Expr.and(isNear, isFinite))
}

const areNaN = (a: Expr.Expr, b: Expr.Expr): Expr.Expr => Expr.and(Expr.notEqual(a, a), Expr.notEqual(b, b))

const allCloseBy = (close: (a: Expr.Expr, b: Expr.Expr, tolerances: Tolerances) => Expr.Expr) =>
  numberOf({
    operation: "TensorTree.allClose",
    numbers: { atol: nonNegative, rtol: nonNegative },
    trace: (tolerances, x: Symbols, y: Symbols) =>
      combined(
        Leaves.map(x, y, (a, b) => Expr.min(Expr.cast(close(a, b, tolerances), "float32"))),
        Expr.minimum,
        1
      )
  })

const strict = allCloseBy(isClose)
const withNaN = allCloseBy((a, b, tolerances) => Expr.or(isClose(a, b, tolerances), areNaN(a, b)))

/**
 * Are the elements of two trees nearly the same? |x − y| ≤ atol + rtol·|y| for all of them; equal infinities are near.
 *
 * Fails with `InvalidHyperParameter` unless both tolerances are finite and ≥ 0. Source: `optax.tree.allclose`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const near = (y: number) => TensorTree.allClose({ w: 100 }, { w: y }, { rtol: 0.01 })
 * const both = Effect.all([near(101), near(102)])
 * assert.deepStrictEqual(await Effect.runPromise(both.pipe(Effect.provide(Cpu.layer))), [true, false])
 * ```
 */
export const allClose = <P>(
  x: P,
  y: Like<P>,
  { atol = 1e-8, equalNan = false, rtol = 1e-5 }: AllCloseOptions = {}
): Effect.Effect<boolean, OptimError, Tensors> =>
  Effect.map((equalNan ? withNaN : strict)({ trees: [x, y], numbers: { atol, rtol } }), (least) => least > 0)

/**
 * The number of elements. Looks at shapes alone; throws `InvalidLeaf` where a leaf has none. Source: `optax.tree.size`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { TensorTree } from "@optim/core"
 *
 * assert.strictEqual(TensorTree.size({ w: new Float32Array(6), b: [1, 2], note: null }), 8)
 * ```
 */
export const size = (tree: unknown): number => {
  const [all, treeDef] = PyTree.flatten(tree)
  const sizes = tensorLeaves("TensorTree.size", all, treeDef).map((leaf) => sizeOf(shapeOfLeaf(leaf)))
  return sizes.reduce((total, size) => total + size, 0)
}
