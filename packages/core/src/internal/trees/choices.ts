/** Trees of which elements are chosen or bounded. */
import type { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { type Fault, TensorMismatch } from "../../OptimError.ts"
import { checkAlive, describeLeaf, hasSpec, pathOf } from "../leaves.ts"
import { number } from "../optimizer/hyperParameters.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { isTensor } from "../tensorLike.ts"
import { printSpec } from "../trace/shape.ts"
import { partsOf, type Symbols, type Taken, takeTrees, treeOf } from "./onTrees.ts"
import type { Like, Made } from "./types.ts"

const clipped = treeOf({
  operation: "TensorTree.clip",
  numbers: { minValue: number, maxValue: number },
  trace: ({ maxValue, minValue }, tree: Symbols) =>
    Leaves.map(tree, (x) => Expr.minimum(Expr.maximum(x, minValue), maxValue))
})

/** Between which numbers elements are kept; without one of them, there is no bound on that side. */
export interface ClipBounds {
  readonly minValue?: number | undefined
  readonly maxValue?: number | undefined
}

/**
 * A tree whose elements lie between two numbers: min(max(x, minValue), maxValue). NaN stays NaN. Source: `optax.tree.clip`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clipped = TensorTree.clip({ w: Float32Array.of(-3, 0, 3) }, { minValue: -1, maxValue: 2 })
 * const program = Effect.map(clipped, ({ w }) => [...w.dataSync()])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, 0, 2])
 * ```
 */
export const clip: {
  (bounds: ClipBounds): <P>(tree: P) => Made<P>
  <P>(tree: P, bounds: ClipBounds): Made<P>
} = dual(
  2,
  <P>(tree: P, { maxValue = Number.POSITIVE_INFINITY, minValue = Number.NEGATIVE_INFINITY }: ClipBounds) =>
    // The structure of the tree with a tensor for every leaf.
    clipped({ trees: [tree], numbers: { minValue, maxValue } }) as Made<P>
)

const operation = "TensorTree.where"

const remedy =
  "Pass a boolean, a bool tensor of shape [], or a tree of bool tensors (tf.greater makes them) for each leaf."

/** What is wrong with a condition for a leaf of this shape. */
const fault = (condition: unknown, { shape }: Expr.TensorSpec): Omit<Fault, "path"> | undefined => {
  const expected: Expr.TensorSpec = { shape, dtype: "bool" }
  const fits = isTensor(condition) && (hasSpec(condition, expected) || hasSpec(condition, { ...expected, shape: [] }))
  return fits ? undefined : { expected: printSpec(expected), found: describeLeaf(condition) }
}

/** Two trees, and at each leaf a condition: one that is given for it, or the only one there is. */
const takeWithConditions = (name: string, [x, y, condition]: ReadonlyArray<unknown>): Taken => {
  const taken = takeTrees(name, [x, y])
  const { treeDef } = taken
  const isOne = isTensor(condition) && condition.shape.length === 0
  const conditions = isOne
    ? new Array<unknown>(treeDef.leafCount).fill(condition)
    : partsOf(name, treeDef, condition, 2)
  const faults = conditions.flatMap((found, index) => {
    const wrong = fault(found, taken.specs[index] ?? { shape: [], dtype: "float32" })
    return wrong === undefined ? [] : [{ path: pathOf(treeDef, index), ...wrong }]
  })
  if (faults.length > 0) throw new TensorMismatch({ operation: `${name} (the condition)`, faults, remedy })
  checkAlive(`${name} (the condition)`, conditions, (index) => pathOf(treeDef, index))
  const tensors = conditions.filter(isTensor)
  const specs = tensors.map(({ shape }): Expr.TensorSpec => ({ shape, dtype: "bool" }))
  return { treeDef, count: 3, leaves: [...taken.leaves, ...tensors], specs: [...taken.specs, ...specs] }
}

const first = treeOf({ operation, trace: (_, x: Symbols) => x })
const second = treeOf({ operation, trace: (_, __, y: Symbols) => y })
const chosen = treeOf({
  operation,
  take: takeWithConditions,
  trace: (_, x: Symbols, y: Symbols, condition: Symbols) =>
    Leaves.map(x, y, condition, (a, b, holds) => Expr.where(holds, a, b))
})

/** What decides: one answer for all elements, or a tensor of answers for each leaf. */
type Condition<P> = boolean | Tensor | NoInfer<PyTree.Mapped<Promoted<P>, Tensor>>

/**
 * `x` where a condition holds, `y` elsewhere; what is not chosen does not matter, not even NaN.
 *
 * The condition is a boolean, a bool tensor of shape [] (which stays where it is, and is not read), or a tree of bool
 * tensors, each of the shape of its leaf or of shape []. Source: `optax.tree.where`, with one condition for all.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const isSound = (loss: number) => Number.isFinite(loss)
 * const program = Effect.map(TensorTree.where(isSound(Infinity), { w: 1 }, { w: 2 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 2)
 * ```
 */
export const where = <P>(condition: Condition<P>, x: P, y: Like<P>): Made<P> => {
  const run =
    typeof condition === "boolean"
      ? (condition ? first : second)({ trees: [x, y] })
      : chosen({ trees: [x, y, condition] })
  // The structure of the first with a tensor for every leaf.
  return run as Made<P>
}
