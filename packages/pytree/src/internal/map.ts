/** Mapping over the leaves of one tree, or of several that share the structure of the first. */
import type { KeyPath } from "../KeyPath.ts"
import { type Def, recordsOf, type TreeDef } from "./def.ts"
import { mismatch } from "./mismatch.ts"
import type { IsLeafOption, IsLeafWithPathOption } from "./options.ts"
import { put } from "./put.ts"
import { type IsLeaf, take } from "./take.ts"
import { takeUpTo } from "./takeUpTo.ts"
import type { Leaf, Mapped, Piece } from "./types.ts"

type AnyMap = (...args: ReadonlyArray<unknown>) => unknown

interface Call {
  readonly trees: ReadonlyArray<unknown>
  readonly f: AnyMap
  readonly isLeaf: IsLeaf | undefined
}

/** Arguments are trees, a function, options: the function is the last one or the one before the options. */
const parse = (args: ReadonlyArray<unknown>): Call => {
  const last = args.at(-1)
  const at = typeof last === "function" ? args.length - 1 : args.length - 2
  const options = (typeof last === "function" ? undefined : last) as IsLeafOption<unknown> | undefined
  return { trees: args.slice(0, at), f: args[at] as AnyMap, isLeaf: options?.isLeaf }
}

const ordinals = ["first", "second", "third"]

const piecesOf = (def: TreeDef, tree: unknown, index: number, operation: string): Array<unknown> => {
  const pieces = takeUpTo(recordsOf(def), tree)
  if (pieces !== undefined) return pieces
  const subject = `the ${ordinals[index] ?? `${index + 1}th`} tree`
  throw mismatch(def, take(tree, operation).def, "prefix", { operation, subject, reference: "the first tree" })
}

const run = ({ f, isLeaf, trees }: Call, operation: string, withPath: boolean): unknown => {
  const { def, leaves } = take(trees[0], operation, isLeaf, withPath)
  const others = trees.slice(1).map((tree, index) => piecesOf(def, tree, index + 1, operation))
  const paths: ReadonlyArray<KeyPath> | undefined = withPath ? (def as Def).paths : undefined
  const mapped = leaves.map((leaf, index) => {
    const pieces = others.map((pieces) => pieces[index])
    return paths === undefined ? f(leaf, ...pieces) : f(paths[index], leaf, ...pieces)
  })
  return put(recordsOf(def), mapped)
}

const lift =
  (operation: string, withPath: boolean) =>
  (...args: ReadonlyArray<unknown>): never => {
    const call = parse(args)
    if (call.trees.length > 0) return run(call, operation, withPath) as never
    return ((tree: unknown) => run({ ...call, trees: [tree] }, operation, withPath)) as never
  }

export const map: {
  <A, B>(f: (leaf: A) => B): <T>(tree: T & ([Leaf<T>] extends [A] ? unknown : never)) => Mapped<T, B>
  <A, B, L = unknown>(f: (leaf: A) => B, options: IsLeafOption<L>): <T>(tree: T) => Mapped<T, B, L>
  <T, B>(tree: T, f: (leaf: Leaf<T>) => B): Mapped<T, B>
  <T, B, L = unknown>(tree: T, f: (leaf: Leaf<T, L>) => B, options: IsLeafOption<L>): Mapped<T, B, L>
  <T, T2, B>(tree: T, second: T2, f: (leaf: Leaf<T>, second: Piece<T, T2>) => B): Mapped<T, B>
  <T, T2, B, L = unknown>(
    tree: T,
    second: T2,
    f: (leaf: Leaf<T, L>, second: Piece<T, T2, L>) => B,
    options: IsLeafOption<L>
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
    options: IsLeafOption<L>
  ): Mapped<T, B, L>
} = lift("PyTree.map", false)

export const mapWithPath: {
  <A, B>(f: (path: KeyPath, leaf: A) => B): <T>(tree: T & ([Leaf<T>] extends [A] ? unknown : never)) => Mapped<T, B>
  <A, B, L = unknown>(
    f: (path: KeyPath, leaf: A) => B,
    options: IsLeafWithPathOption<L>
  ): <T>(tree: T) => Mapped<T, B, L>
  <T, B>(tree: T, f: (path: KeyPath, leaf: Leaf<T>) => B): Mapped<T, B>
  <T, B, L = unknown>(
    tree: T,
    f: (path: KeyPath, leaf: Leaf<T, L>) => B,
    options: IsLeafWithPathOption<L>
  ): Mapped<T, B, L>
  <T, T2, B>(tree: T, second: T2, f: (path: KeyPath, leaf: Leaf<T>, second: Piece<T, T2>) => B): Mapped<T, B>
  <T, T2, B, L = unknown>(
    tree: T,
    second: T2,
    f: (path: KeyPath, leaf: Leaf<T, L>, second: Piece<T, T2, L>) => B,
    options: IsLeafWithPathOption<L>
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
    options: IsLeafWithPathOption<L>
  ): Mapped<T, B, L>
} = lift("PyTree.mapWithPath", true)
