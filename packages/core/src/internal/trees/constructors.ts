/** Trees that look like another. */
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { number } from "../optimizer/hyperParameters.ts"
import { takeAny } from "./anyDType.ts"
import { type Symbols, treeOf } from "./onTrees.ts"
import type { Made } from "./types.ts"

/** The dtype of the leaves, if it is to be another. */
export interface LikeOptions {
  readonly dtype?: Expr.DType | undefined
}

type Fill = ReturnType<typeof filling>

const filling = (operation: string, specOf: (leaf: Expr.TensorSpec) => Expr.TensorSpec) =>
  treeOf({
    operation,
    numbers: { fillValue: number },
    take: takeAny,
    trace: ({ fillValue }, tree: Symbols) => Leaves.map(tree, (leaf) => Expr.full(specOf(leaf), fillValue))
  })

/** What fills trees, for each dtype and for that of the leaf. */
const fillings = (operation: string): { readonly [dtype in Expr.DType | "same"]: Fill } => {
  const of = (dtype: Expr.DType) => filling(operation, ({ shape }) => ({ shape, dtype }))
  const same = filling(operation, ({ dtype, shape }) => ({ shape, dtype }))
  return { same, float32: of("float32"), int32: of("int32"), bool: of("bool") }
}

const constantLike = (operation: string, fillValue: number) => {
  const fill = fillings(operation)
  return <P>(tree: P, { dtype }: LikeOptions = {}): Made<P> =>
    // The structure of the tree with a tensor for every leaf.
    fill[dtype ?? "same"]({ trees: [tree], numbers: { fillValue } }) as Made<P>
}

/**
 * Zeros in the shapes and dtypes of a tree. Source: `optax.tree.zeros_like`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.zerosLike({ w: Float32Array.of(1, 2) }), ({ w }) => [...w.dataSync()])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 0])
 * ```
 */
export const zerosLike = constantLike("TensorTree.zerosLike", 0)

/**
 * Ones in the shapes and dtypes of a tree. Source: `optax.tree.ones_like`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.onesLike({ w: Float32Array.of(5, 6) }), ({ w }) => [...w.dataSync()])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 1])
 * ```
 */
export const onesLike = constantLike("TensorTree.onesLike", 1)

const full = fillings("TensorTree.fullLike")

/**
 * One number in the shapes and dtypes of a tree. Source: `optax.tree.full_like`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.fullLike({ w: Float32Array.of(1, 2) }, 2.5), ({ w }) => [...w.dataSync()])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2.5, 2.5])
 * ```
 */
export const fullLike = <P>(tree: P, fillValue: number, { dtype }: LikeOptions = {}): Made<P> =>
  // As above.
  full[dtype ?? "same"]({ trees: [tree], numbers: { fillValue } }) as Made<P>

const casting = (dtype: Expr.DType) =>
  treeOf({
    operation: "TensorTree.cast",
    take: takeAny,
    trace: (_, tree: Symbols) => Leaves.map(tree, (leaf) => Expr.cast(leaf, dtype))
  })

const casts = { float32: casting("float32"), int32: casting("int32"), bool: casting("bool") }

/**
 * The same numbers in another dtype: bool becomes 0 and 1, float32 to int32 cuts towards zero, and to bool whatever is not
 * 0 becomes true. Leaves that have the dtype are shared. Source: `optax.tree.cast`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.cast({ w: Float32Array.of(2.5, -2.5) }, "int32"), ({ w }) => [...w.dataSync()])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2, -2])
 * ```
 */
export const cast: {
  (dtype: Expr.DType): <P>(tree: P) => Made<P>
  <P>(tree: P, dtype: Expr.DType): Made<P>
} = dual(2, <P>(tree: P, dtype: Expr.DType) => casts[dtype]({ trees: [tree] }) as Made<P>)
