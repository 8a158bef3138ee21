/** Arithmetic of trees, leaf by leaf. */
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { number } from "../optimizer/hyperParameters.ts"
import { type Symbols, treeOf } from "./onTrees.ts"
import type { Like, Made } from "./types.ts"

const sum = treeOf({
  operation: "TensorTree.add",
  trace: (_, first: Symbols, ...others) =>
    others.reduce((total, tree) => Leaves.map(total, tree, (a, b) => Expr.add(a, b)), first)
})

/** A tree of the first tree's type, made with one more. */
interface WithAnother {
  <Q>(y: Q): <P>(x: P) => Made<P>
  <P>(x: P, y: Like<P>): Made<P>
}

/**
 * The sum of two trees or more, leaf by leaf, added from the left. Source: `optax.tree.add`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.add({ w: 1 }, { w: 20 }, { w: 300 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 321)
 * ```
 */
export const add: {
  <Q>(y: Q): <P>(x: P) => Made<P>
  <P>(x: P, y: Like<P>, ...others: ReadonlyArray<Like<P>>): Made<P>
} = dual(
  (args) => args.length > 1,
  // The structure of the first with a tensor for every leaf.
  <P>(...trees: readonly [P, ...ReadonlyArray<unknown>]) => sum({ trees }) as Made<P>
)

const pointwise = (operation: string, word: (a: Expr.Expr, b: Expr.Expr) => Expr.Expr): WithAnother => {
  const run = treeOf({ operation, trace: (_, x: Symbols, y: Symbols) => Leaves.map(x, y, (a, b) => word(a, b)) })
  // As above.
  return dual(2, <P>(x: P, y: Like<P>) => run({ trees: [x, y] }) as Made<P>)
}

/**
 * The difference x − y of two trees, leaf by leaf. Source: `optax.tree.sub`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.sub({ w: 7 }, { w: 2 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 5)
 * ```
 */
export const sub = pointwise("TensorTree.sub", Expr.sub)

/**
 * The product of two trees, element by element. Source: `optax.tree.mul`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.mul({ w: [2, 3] }, { w: [10, 100] }), ({ w }) => w.map((x) => x.dataSync()[0]))
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [20, 300])
 * ```
 */
export const mul = pointwise("TensorTree.mul", Expr.mul)

/**
 * The quotient x / y of two trees, element by element. Source: `optax.tree.div`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.div({ w: 7 }, { w: 2 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3.5)
 * ```
 */
export const div = pointwise("TensorTree.div", Expr.div)

const scaled = treeOf({
  operation: "TensorTree.scale",
  numbers: { scalar: number },
  trace: ({ scalar }, tree: Symbols) => Leaves.map(tree, (x) => Expr.mul(scalar, x))
})

/**
 * A tree times a number: s·x. Source: `optax.tree.scale`, which takes the number first.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.scale({ w: 3 }, -0.5), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), -1.5)
 * ```
 */
export const scale: {
  (scalar: number): <P>(tree: P) => Made<P>
  <P>(tree: P, scalar: number): Made<P>
} = dual(2, <P>(tree: P, scalar: number) => scaled({ trees: [tree], numbers: { scalar } }) as Made<P>)

const withScaled = treeOf({
  operation: "TensorTree.addScale",
  numbers: { scalar: number },
  trace: ({ scalar }, x: Symbols, y: Symbols) => Leaves.map(x, y, (a, b) => Expr.add(a, Expr.mul(scalar, b)))
})

/**
 * A step along another tree: x + s·y, in one pass. Source: `optax.tree.add_scale`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { TensorTree } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(TensorTree.addScale({ w: 3 }, 10, { w: 2 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 23)
 * ```
 */
export const addScale: {
  <Q>(scalar: number, y: Q): <P>(x: P) => Made<P>
  <P>(x: P, scalar: number, y: Like<P>): Made<P>
} = dual(3, <P>(x: P, scalar: number, y: Like<P>) => withScaled({ trees: [x, y], numbers: { scalar } }) as Made<P>)
