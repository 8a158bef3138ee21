/**
 * Folding the leaves of a tree into one value.
 */
import { EmptyTree } from "../TreeError.ts"
import { isLeafOf, type Options } from "./options.ts"
import { take } from "./walk/take.ts"
import type { AllLeaves, Leaf } from "./types.ts"

type Step = (accumulated: unknown, leaf: unknown) => unknown

const leavesOf = (tree: unknown, operation: string, options: Options<unknown> | undefined): ReadonlyArray<unknown> =>
  take(tree, operation, isLeafOf(options)).leaves

/**
 * Folds the leaves from the left: `f(…f(f(initial, a), b)…)`. Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.reduce`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import { pipe } from "effect/Function"
 * import * as assert from "node:assert"
 *
 * assert.strictEqual(PyTree.reduce({ b: "2", a: ["0", "1"] }, "", (text, leaf) => text + leaf), "012")
 * assert.strictEqual(pipe([1, { x: 2 }], PyTree.reduce(0, (sum: number, leaf: number) => sum + leaf)), 3)
 * ```
 */
export const reduce: {
  <A, B>(initial: B, f: (accumulated: B, leaf: A) => B): <T>(tree: T & AllLeaves<T, A>) => B
  <A, B, L = unknown>(initial: B, f: (accumulated: B, leaf: A) => B, options: Options<L>): (tree: unknown) => B
  <T, B>(tree: T, initial: B, f: (accumulated: B, leaf: Leaf<T>) => B): B
  <T, B, L = unknown>(tree: T, initial: B, f: (accumulated: B, leaf: Leaf<T, L>) => B, options: Options<L>): B
} = (...args: ReadonlyArray<unknown>): never => {
  const isDataFirst = typeof args[2] === "function"
  const [initial, f, options] = isDataFirst ? args.slice(1) : args
  // the overloads say what arguments and result are
  const run = (tree: unknown): unknown =>
    leavesOf(tree, "PyTree.reduce", options as Options<unknown>).reduce(f as Step, initial)
  return (isDataFirst ? run(args[0]) : run) as never
}

const halves = (leaves: ReadonlyArray<unknown>, f: Step, start: number, end: number): unknown => {
  if (end - start === 1) return leaves[start]
  const middle = start + Math.floor((end - start) / 2)
  return f(halves(leaves, f, start, middle), halves(leaves, f, middle, end))
}

/** Options of `reduceAssociative`. */
export interface AssociativeOptions<A, L> extends Options<L> {
  /** The result for a tree without leaves, and for no other. */
  readonly identity?: A | undefined
}

/**
 * Combines the leaves in balanced halves: five leaves give `((ab)(c(de)))`.
 *
 * For an associative function this is the fold, with a rounding error that grows with the logarithm of the number of
 * leaves. Throws EmptyTree if there is neither a leaf nor an `identity`, CyclicTree if a node contains itself.
 * Source: `jax.tree.reduce_associative`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const shown = PyTree.reduceAssociative(["a", "b", "c", "d", "e"], (left, right) => `(${left}${right})`)
 * assert.strictEqual(shown, "((ab)(c(de)))")
 * assert.strictEqual(PyTree.reduceAssociative<null, number>(null, Math.max, { identity: 0 }), 0)
 * ```
 */
export const reduceAssociative: {
  <T>(tree: T, combine: (left: Leaf<T>, right: Leaf<T>) => Leaf<T>): Leaf<T>
  <T, A = Leaf<T>, L = unknown>(tree: T, combine: (left: A, right: A) => A, options: AssociativeOptions<A, L>): A
} = (tree: unknown, combine: unknown, options?: AssociativeOptions<unknown, unknown>): never => {
  const operation = "PyTree.reduceAssociative"
  const leaves = leavesOf(tree, operation, options)
  // the overloads say what it is
  if (leaves.length > 0) return halves(leaves, combine as Step, 0, leaves.length) as never
  if (options?.identity !== undefined) return options.identity as never
  throw new EmptyTree({ operation, hint: "Pass an identity: it is the result for a tree without leaves." })
}

/**
 * Do all leaves satisfy the predicate? Without one: are all leaves truthy? True for a tree without leaves.
 *
 * Throws CyclicTree if a node contains itself.
 * Source: `jax.tree.all`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * assert.ok(PyTree.all({ a: 1, b: [2, 3] }, (leaf) => leaf > 0))
 * assert.ok(!PyTree.all({ a: true, b: false }))
 * assert.ok(PyTree.all({ a: null, b: [] }))
 * ```
 */
export const all: {
  <T>(tree: T, predicate?: (leaf: Leaf<T>) => boolean): boolean
  <T, L = unknown>(tree: T, predicate: (leaf: Leaf<T, L>) => boolean, options: Options<L>): boolean
} = (tree: unknown, predicate: (leaf: never) => boolean = Boolean, options?: Options<unknown>): boolean =>
  // the overloads say what the leaves are
  leavesOf(tree, "PyTree.all", options).every((leaf) => predicate(leaf as never))
