/** Gradients of single examples, clipped one by one and added up: for learning with differential privacy. */
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import type * as Effect from "effect/Effect"
import {
  cast,
  div,
  type Expr,
  full,
  type Host,
  less,
  minimum,
  mul,
  notEqual,
  sqrt,
  square,
  sum,
  where
} from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { type Fault, type OptimError, TensorMismatch } from "../../../OptimError.ts"
import type { Tensors } from "../../../Tensors.ts"
import { pathOf } from "../../leaves.ts"
import { bound } from "../../optimizer/hyperParameters.ts"
import type { Promoted } from "../../optimizer/rule.ts"
import { printSpec, sizeOf } from "../../trace/shape.ts"
import { along, others } from "../../transform/axes.ts"
import { madeOf, type Symbols } from "../../trees/onTrees.ts"

/** Throws unless every leaf has one gradient for each example, as many as the first leaf. */
const checkBatch = (operation: string, { at, items, treeDef }: Symbols): void => {
  const size = items.find(({ shape }) => shape.length > 0)?.shape[0] ?? "n"
  const faults = items.flatMap((leaf, index): ReadonlyArray<Fault> =>
    leaf.shape[0] === size
      ? []
      : [{ path: pathOf(treeDef, at[index] ?? 0), expected: `float32 [${size}, …]`, found: printSpec(leaf) }]
  )
  const remedy = "Pass gradients with a leading axis along which the examples lie, as many for every leaf."
  if (faults.length > 0) throw new TensorMismatch({ operation, faults, remedy })
}

/** For each example the sum of squares in this leaf. */
const squares = (g: Expr): Expr => sum(square(g), { axes: others(g.shape, 0) })

/** What examples of these squared norms are multiplied with; 1 for a norm that is zero or NaN. */
const multipliers = (maxNorm: Host, squaredNorms: Expr): Expr => {
  const ratio = minimum(div(maxNorm, sqrt(squaredNorms)), 1)
  return where(notEqual(ratio, ratio), 1, ratio)
}

/** How many multipliers shorten something. */
const shortened = (factors: Expr): Expr => sum(cast(less(factors, 1), "float32"))

/** The sum over all examples, each multiplied by its own factor. */
const weighted = (factors: Expr, g: Expr): Expr => sum(mul(g, along(factors, 0, g.shape)), { axes: [0] })

/** How `perExampleGlobalNormClip` clips. */
export interface PerExampleGlobalNormClipOptions {
  /** The largest norm of an example's gradient, ≥ 0. */
  readonly l2NormClip: number
}

/** Clipped gradients. */
export interface ClippedByGlobalNorm<P> {
  /** The sum over the examples: the tree of the gradients, without the leading axis. */
  readonly clippedSum: P
  /** How many examples were clipped: a tensor of shape [], float32. */
  readonly numClipped: Tensor
}

const byGlobalNorm = madeOf(
  {
    operation: "Transform.perExampleGlobalNormClip",
    numbers: { l2NormClip: bound },
    trace: ({ l2NormClip }, grads: Symbols) => {
      checkBatch("Transform.perExampleGlobalNormClip", grads)
      if (grads.items.length === 0) return [full({ shape: [], dtype: "float32" }, 0)]
      const factors = multipliers(l2NormClip, Leaves.total(Leaves.map(grads, squares)))
      return [...grads.items.map((g) => weighted(factors, g)), shortened(factors)]
    }
  },
  ({ tensors, treeDef }) => ({
    clippedSum: PyTree.unflatten(treeDef, tensors.slice(0, -1)),
    numClipped: tensors.at(-1)
  })
)

/**
 * The sum of single examples' gradients, each shortened to a norm of at most `l2NormClip` over the whole tree.
 *
 *     nᵢ = √Σ⟨gᵢ, gᵢ⟩        s = Σᵢ min(l2NormClip / nᵢ, 1)·gᵢ
 *
 * Every leaf has a leading axis along which the examples lie. The results belong to the caller, and nothing is read back.
 * Fails with `InvalidHyperParameter` unless l2NormClip ≥ 0, and with `TensorMismatch` for a leaf without the leading axis.
 * Source: Abadi et al. 2016; `optax.per_example_global_norm_clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const grads = { w: tf.tensor2d([[0, 1], [30, 40]]) } // of two examples
 *   const { clippedSum, numClipped } = yield* Transform.perExampleGlobalNormClip(grads, { l2NormClip: 5 })
 *   return [...clippedSum.w.dataSync(), ...numClipped.dataSync()]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [3, 5, 1])
 * ```
 */
export const perExampleGlobalNormClip = <P>(
  grads: P,
  { l2NormClip }: PerExampleGlobalNormClipOptions
): Effect.Effect<ClippedByGlobalNorm<Promoted<P>>, OptimError, Tensors> =>
  // The structure of the gradients with a tensor for every leaf, and one more.
  byGlobalNorm({ trees: [grads], numbers: { l2NormClip } }) as Effect.Effect<
    ClippedByGlobalNorm<Promoted<P>>,
    OptimError,
    Tensors
  >

/** How `perExampleLayerNormClip` clips. */
export interface PerExampleLayerNormClipOptions {
  /** The largest norm of an example's gradient over the whole tree, ≥ 0. */
  readonly globalL2NormClip: number
  /** Give every leaf the same share, rather than one by its number of elements? Default true. */
  readonly uniform?: boolean | undefined
}

/** Clipped gradients. */
export interface ClippedByLayerNorm<P> {
  /** The sum over the examples: the tree of the gradients, without the leading axis. */
  readonly clippedSum: P
  /** How many examples were clipped, for each leaf: a tensor of shape [], float32. */
  readonly numClipped: P
}

/** The elements that a leaf has for one example. */
const elements = ({ shape }: Expr): number => sizeOf(shape.slice(1))

/** The share of the norm that a leaf has: the squares of all shares add up to 1. */
const equalShare = (_: Expr, { items }: Symbols): number => Math.sqrt(1 / items.length)

const shareBySize = (g: Expr, { items }: Symbols): number =>
  Math.sqrt(elements(g) / items.reduce((all, leaf) => all + elements(leaf), 0))

const byLayerNorm = (shareOf: (g: Expr, grads: Symbols) => number) =>
  madeOf(
    {
      operation: "Transform.perExampleLayerNormClip",
      numbers: { globalL2NormClip: bound },
      trace: ({ globalL2NormClip }, grads: Symbols) => {
        checkBatch("Transform.perExampleLayerNormClip", grads)
        const factors = grads.items.map((g) => multipliers(mul(globalL2NormClip, shareOf(g, grads)), squares(g)))
        const sums = Leaves.map(grads, Leaves.make(grads.treeDef, factors), (g, own) => weighted(own, g))
        return [...sums.items, ...factors.map(shortened)]
      }
    },
    ({ tensors, treeDef }) => ({
      clippedSum: PyTree.unflatten(treeDef, tensors.slice(0, treeDef.leafCount)),
      numClipped: PyTree.unflatten(treeDef, tensors.slice(treeDef.leafCount))
    })
  )

const uniformly = byLayerNorm(equalShare)
const bySize = byLayerNorm(shareBySize)

/**
 * The sum of single examples' gradients, each shortened leaf by leaf so that its norm over the whole tree is at most
 * `globalL2NormClip`.
 *
 *     cₗ = globalL2NormClip·√(1/L)        s = Σᵢ min(cₗ / ‖gᵢ‖, 1)·gᵢ        for each of L leaves
 *
 * Without `uniform`, cₗ = globalL2NormClip·√(nₗ/n): each leaf has a share by its number of elements. Every leaf has a leading
 * axis along which the examples lie. The results belong to the caller, and nothing is read back. Fails like
 * `perExampleGlobalNormClip`. Source: McMahan et al. 2018; `optax.per_example_layer_norm_clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const grads = [1, 2, 3, 4].map((g) => tf.tensor1d([g])) // four leaves, of one example
 *   const { clippedSum } = yield* Transform.perExampleLayerNormClip(grads, { globalL2NormClip: 5 })
 *   return clippedSum.map((sum) => sum.dataSync()[0])
 * })
 * // Each leaf has the half of 5, as √(4·2.5²) = 5.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 2, 2.5, 2.5])
 * ```
 */
export const perExampleLayerNormClip = <P>(
  grads: P,
  { globalL2NormClip, uniform = true }: PerExampleLayerNormClipOptions
): Effect.Effect<ClippedByLayerNorm<Promoted<P>>, OptimError, Tensors> => {
  const clip = uniform ? uniformly : bySize
  // Twice the structure of the gradients with a tensor for every leaf.
  return clip({ trees: [grads], numbers: { globalL2NormClip } }) as Effect.Effect<
    ClippedByLayerNorm<Promoted<P>>,
    OptimError,
    Tensors
  >
}
