/**
 * Mapping over the leaves of one tree, or of several that have the structure of the first.
 */
import type { KeyPath } from "../KeyPath.ts"
import { checked } from "./walk/check.ts"
import { type Def, recordsOf } from "./structure/def.ts"
import { isLeafOf, isLeafWithPathOf, type Options, type PathOptions } from "./options.ts"
import { put } from "./walk/put.ts"
import { take } from "./walk/take.ts"
import type { IsLeaf } from "./walk/traverse.ts"
import type { AllLeaves, Leaf, Mapped, Piece } from "./types.ts"

type Rows = (...row: ReadonlyArray<unknown>) => unknown

/** A call of `map` or `mapWithPath`: the function is the last argument, or the one before the options. */
interface Call<O> {
  readonly trees: ReadonlyArray<unknown>
  readonly f: Rows
  readonly options: O | undefined
}

// the overloads say what the arguments are
const parse = <O>(args: ReadonlyArray<unknown>): Call<O> =>
  typeof args.at(-1) === "function"
    ? { trees: args.slice(0, -1), f: args.at(-1) as Rows, options: undefined }
    : { trees: args.slice(0, -2), f: args.at(-2) as Rows, options: args.at(-1) as O }

const partsOf = (others: ReadonlyArray<unknown>, def: Def, operation: string): ReadonlyArray<ReadonlyArray<unknown>> =>
  others.map((tree, index) => checked(def, tree, { subject: `tree ${index + 2}`, reference: "tree 1" }, operation))

const run = (
  [first, ...others]: ReadonlyArray<unknown>,
  operation: string,
  isLeaf: IsLeaf | undefined,
  f: (def: Def, index: number, row: ReadonlyArray<unknown>) => unknown
): unknown => {
  const { def, leaves } = take(first, operation, isLeaf)
  const parts = partsOf(others, def, operation)
  const mapped = leaves.map((leaf, index) => f(def, index, [leaf, ...parts.map((part) => part[index])]))
  return put(recordsOf(def), mapped)
}

/** Adds the data-last form: without trees, a call waits for one. */
const lift =
  <O>(apply: (call: Call<O>) => unknown) =>
  (...args: ReadonlyArray<unknown>): never => {
    const call = parse<O>(args)
    const result = call.trees.length > 0 ? apply(call) : (tree: unknown) => apply({ ...call, trees: [tree] })
    // the overloads say what it is
    return result as never
  }

/**
 * Applies a function to every leaf, keeping the structure. With several trees, `f` gets a leaf of the first tree and
 * what the others have at its place.
 *
 * The structure is that of the first tree; the others need have it only as a *prefix*: where the first tree has a leaf,
 * another may have a whole subtree, which is passed as it is. `isLeaf` applies to the first tree.
 *
 * Throws StructureMismatch with all differing paths, CyclicTree if a node contains itself.
 * Source: `jax.tree.map`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import { pipe } from "effect/Function"
 * import * as assert from "node:assert"
 *
 * const params = { w: 1, b: [2, 3] }
 * const named: { w: string; b: Array<string> } = PyTree.map(params, (leaf) => `x${leaf}`)
 * assert.deepStrictEqual(named, { w: "x1", b: ["x2", "x3"] })
 *
 * const slots = { w: { m: 10 }, b: [{ m: 20 }, { m: 30 }] }
 * assert.deepStrictEqual(PyTree.map(params, slots, (leaf, { m }) => leaf + m), { w: 11, b: [22, 33] })
 *
 * assert.deepStrictEqual(pipe(params, PyTree.map((leaf: number) => -leaf)), { w: -1, b: [-2, -3] })
 * ```
 */
export const map: {
  <A, B>(f: (leaf: A) => B): <T>(tree: T & AllLeaves<T, A>) => Mapped<T, B>
  <A, B, L = unknown>(f: (leaf: A) => B, options: Options<L>): <T>(tree: T) => Mapped<T, B, L>
  <T, B>(tree: T, f: (leaf: Leaf<T>) => B): Mapped<T, B>
  <T, B, L = unknown>(tree: T, f: (leaf: Leaf<T, L>) => B, options: Options<L>): Mapped<T, B, L>
  <T, T2, B>(tree: T, second: T2, f: (leaf: Leaf<T>, second: Piece<T, T2>) => B): Mapped<T, B>
  <T, T2, B, L = unknown>(
    tree: T,
    second: T2,
    f: (leaf: Leaf<T, L>, second: Piece<T, T2, L>) => B,
    options: Options<L>
  ): Mapped<T, B, L>
  <T, T2, T3, B>(
    tree: T,
    second: T2,
    third: T3,
    f: (leaf: Leaf<T>, second: Piece<T, T2>, third: Piece<T, T3>) => B
  ): Mapped<T, B>
  <T, T2, T3, B, L = unknown>(
    tree: T,
    second: T2,
    third: T3,
    f: (leaf: Leaf<T, L>, second: Piece<T, T2, L>, third: Piece<T, T3, L>) => B,
    options: Options<L>
  ): Mapped<T, B, L>
} = lift<Options<unknown>>(({ f, options, trees }) =>
  run(trees, "PyTree.map", isLeafOf(options), (_, __, row) => f(...row))
)

/**
 * `map` with the path of each leaf as the first argument of the function. The `isLeaf` predicate gets paths, too.
 *
 * Throws StructureMismatch with all differing paths, CyclicTree if a node contains itself.
 * Source: `jax.tree.map_with_path`.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const decay = PyTree.mapWithPath({ w: 1, bias: 1 }, (path, leaf) => (KeyPath.keystr(path) === "['bias']" ? 0 : leaf))
 * assert.deepStrictEqual(decay, { w: 1, bias: 0 })
 * ```
 */
export const mapWithPath: {
  <A, B>(f: (path: KeyPath, leaf: A) => B): <T>(tree: T & AllLeaves<T, A>) => Mapped<T, B>
  <A, B, L = unknown>(f: (path: KeyPath, leaf: A) => B, options: PathOptions<L>): <T>(tree: T) => Mapped<T, B, L>
  <T, B>(tree: T, f: (path: KeyPath, leaf: Leaf<T>) => B): Mapped<T, B>
  <T, B, L = unknown>(tree: T, f: (path: KeyPath, leaf: Leaf<T, L>) => B, options: PathOptions<L>): Mapped<T, B, L>
  <T, T2, B>(tree: T, second: T2, f: (path: KeyPath, leaf: Leaf<T>, second: Piece<T, T2>) => B): Mapped<T, B>
  <T, T2, B, L = unknown>(
    tree: T,
    second: T2,
    f: (path: KeyPath, leaf: Leaf<T, L>, second: Piece<T, T2, L>) => B,
    options: PathOptions<L>
  ): Mapped<T, B, L>
  <T, T2, T3, B>(
    tree: T,
    second: T2,
    third: T3,
    f: (path: KeyPath, leaf: Leaf<T>, second: Piece<T, T2>, third: Piece<T, T3>) => B
  ): Mapped<T, B>
  <T, T2, T3, B, L = unknown>(
    tree: T,
    second: T2,
    third: T3,
    f: (path: KeyPath, leaf: Leaf<T, L>, second: Piece<T, T2, L>, third: Piece<T, T3, L>) => B,
    options: PathOptions<L>
  ): Mapped<T, B, L>
} = lift<PathOptions<unknown>>(({ f, options, trees }) =>
  run(trees, "PyTree.mapWithPath", isLeafWithPathOf(options), (def, index, row) => f(def.paths[index], ...row))
)
