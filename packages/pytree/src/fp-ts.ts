/**
 * Trees for fp-ts: instances of its type classes, in its own encoding.
 *
 * A plain tree is no lawful functor: a function whose result is an array turns a leaf into a node, and the next map goes
 * into it. `PyTree<A>` keeps structure and leaves apart, and so obeys the laws for every `A`. `fromTree` takes a plain
 * tree apart, `toTree` puts it together again. The functions keep the type of the tree; the instances, which know only
 * the type of the leaves, do not.
 *
 * @example
 * ```ts
 * import * as T from "@optim/pytree/fp-ts"
 * import { function as F, monoid, number, option as O } from "fp-ts"
 * import * as assert from "node:assert"
 *
 * const params = T.fromTree({ w: 4, b: [9, 16] })
 * const named: { w: string; b: Array<string> } = F.pipe(params, T.map(String), T.toTree)
 * assert.deepStrictEqual(named, { w: "4", b: ["9", "16"] })
 *
 * const root = (x: number) => (x < 0 ? O.none : O.some(Math.sqrt(x)))
 * const roots = F.pipe(params, T.traverse(O.Applicative)(root), O.map(T.toTree))
 * assert.deepStrictEqual(roots, O.some({ w: 2, b: [3, 4] }))
 * assert.deepStrictEqual(F.pipe(T.fromTree({ a: 4, b: -1 }), T.traverse(O.Applicative)(root)), O.none)
 *
 * assert.strictEqual(F.pipe(params, T.foldMap(number.MonoidSum)((x) => x)), 29)
 * ```
 */
import type {
  Applicative,
  Applicative1,
  Applicative2,
  Applicative2C,
  Applicative3,
  Applicative3C
} from "fp-ts/lib/Applicative.js"
import type * as Eq from "fp-ts/lib/Eq.js"
import type { Foldable1 } from "fp-ts/lib/Foldable.js"
import type { FoldableWithIndex1 } from "fp-ts/lib/FoldableWithIndex.js"
import type { Functor1 } from "fp-ts/lib/Functor.js"
import type { FunctorWithIndex1 } from "fp-ts/lib/FunctorWithIndex.js"
import type { Monoid } from "fp-ts/lib/Monoid.js"
import type { Show } from "fp-ts/lib/Show.js"
import type { Traversable1 } from "fp-ts/lib/Traversable.js"
import type { TraversableWithIndex1 } from "fp-ts/lib/TraversableWithIndex.js"
import type { HKT, Kind, Kind2, Kind3, URIS, URIS2, URIS3 } from "fp-ts/HKT.js"
import * as Equal from "effect/Equal"
import type { KeyPath } from "./KeyPath.ts"
import * as Tree from "./PyTree.ts"
import * as TreeDef from "./TreeDef.ts"
import type { Leaf, Mapped } from "./internal/types.ts"

/** The name of the type constructor `PyTree` in fp-ts. */
export const URI = "@optim/pytree/PyTree"

/** The name of the type constructor `PyTree` in fp-ts. */
export type URI = typeof URI

declare module "fp-ts/HKT.js" {
  interface URItoKind<A> {
    readonly [URI]: PyTree<A>
  }
}

/** A tree of type `S` with leaves of type `A` in place of its own: its structure and, left to right, the leaves. */
export interface PyTree<out A, out S = unknown> {
  readonly treedef: TreeDef.TreeDef<S>
  readonly leaves: ReadonlyArray<A>
}

/** A plain tree as its structure and its leaves. Throws CyclicTree if a node contains itself. */
export const fromTree = <T>(tree: T): PyTree<Leaf<T>, T> => {
  const [leaves, treedef] = Tree.flatten(tree)
  return { treedef, leaves }
}

/** The plain tree of a structure and its leaves. */
export const toTree = <A, S>(self: PyTree<A, S>): Mapped<S, A> => Tree.unflatten(self.treedef, self.leaves)

/** A tree that is one leaf. */
export const of = <A>(leaf: A): PyTree<A> => ({ treedef: TreeDef.leaf, leaves: [leaf] })

/** Applies a function to every leaf. */
export const map =
  <A, B>(f: (leaf: A) => B) =>
  <S>({ leaves, treedef }: PyTree<A, S>): PyTree<B, S> => ({ treedef, leaves: leaves.map((leaf) => f(leaf)) })

/** Applies a function to the path and the value of every leaf. */
export const mapWithIndex =
  <A, B>(f: (path: KeyPath, leaf: A) => B) =>
  <S>({ leaves, treedef }: PyTree<A, S>): PyTree<B, S> => {
    const paths = TreeDef.paths(treedef)
    return { treedef, leaves: leaves.map((leaf, index) => f(paths[index]!, leaf)) }
  }

/** Folds the leaves from the left. */
export const reduce =
  <A, B>(initial: B, f: (accumulated: B, leaf: A) => B) =>
  ({ leaves }: PyTree<A>): B =>
    leaves.reduce((accumulated, leaf) => f(accumulated, leaf), initial)

/** Folds the leaves from the left, with their paths. */
export const reduceWithIndex =
  <A, B>(initial: B, f: (path: KeyPath, accumulated: B, leaf: A) => B) =>
  ({ leaves, treedef }: PyTree<A>): B => {
    const paths = TreeDef.paths(treedef)
    return leaves.reduce((accumulated, leaf, index) => f(paths[index]!, accumulated, leaf), initial)
  }

/** Folds the leaves from the right. */
export const reduceRight =
  <A, B>(initial: B, f: (leaf: A, accumulated: B) => B) =>
  ({ leaves }: PyTree<A>): B =>
    leaves.reduceRight((accumulated, leaf) => f(leaf, accumulated), initial)

/** Folds the leaves from the right, with their paths. */
export const reduceRightWithIndex =
  <A, B>(initial: B, f: (path: KeyPath, leaf: A, accumulated: B) => B) =>
  ({ leaves, treedef }: PyTree<A>): B => {
    const paths = TreeDef.paths(treedef)
    return leaves.reduceRight((accumulated, leaf, index) => f(paths[index]!, leaf, accumulated), initial)
  }

/** Maps the leaves into a monoid and combines them, left to right. */
export const foldMap =
  <M>(M: Monoid<M>) =>
  <A>(f: (leaf: A) => M): ((self: PyTree<A>) => M) =>
    reduce(M.empty, (accumulated: M, leaf: A) => M.concat(accumulated, f(leaf)))

/** Maps the leaves with their paths into a monoid and combines them, left to right. */
export const foldMapWithIndex =
  <M>(M: Monoid<M>) =>
  <A>(f: (path: KeyPath, leaf: A) => M): ((self: PyTree<A>) => M) =>
    reduceWithIndex(M.empty, (path, accumulated: M, leaf: A) => M.concat(accumulated, f(path, leaf)))

/** Results so far, the last one first: appending to it costs the same at every length. */
interface Cell<B> {
  readonly result: B
  readonly before: Cell<B> | undefined
}

const inOrder = <B>(last: Cell<B> | undefined): ReadonlyArray<B> => {
  const results: Array<B> = []
  for (let cell = last; cell !== undefined; cell = cell.before) results.push(cell.result)
  return results.toReversed()
}

const traverseLeaves = <F, A, B, S>(
  F: Applicative<F>,
  { leaves, treedef }: PyTree<A, S>,
  f: (leaf: A, index: number) => HKT<F, B>
): HKT<F, PyTree<B, S>> => {
  const append =
    (before: Cell<B> | undefined) =>
    (result: B): Cell<B> => ({ result, before })
  let done: HKT<F, Cell<B> | undefined> = F.of(undefined)
  for (const [index, leaf] of leaves.entries()) done = F.ap(F.map(done, append), f(leaf, index))
  return F.map(done, (last) => ({ treedef, leaves: inOrder(last) }))
}

/** `traverse` for each number of type parameters an applicative may have; `I` is what the function gets first. */
interface Traverse<I extends ReadonlyArray<unknown>> {
  <F extends URIS3>(
    F: Applicative3<F>
  ): <A, R, E, B>(
    f: (...args: [...I, A]) => Kind3<F, R, E, B>
  ) => <S>(self: PyTree<A, S>) => Kind3<F, R, E, PyTree<B, S>>
  <F extends URIS3, E>(
    F: Applicative3C<F, E>
  ): <A, R, B>(f: (...args: [...I, A]) => Kind3<F, R, E, B>) => <S>(self: PyTree<A, S>) => Kind3<F, R, E, PyTree<B, S>>
  <F extends URIS2>(
    F: Applicative2<F>
  ): <A, E, B>(f: (...args: [...I, A]) => Kind2<F, E, B>) => <S>(self: PyTree<A, S>) => Kind2<F, E, PyTree<B, S>>
  <F extends URIS2, E>(
    F: Applicative2C<F, E>
  ): <A, B>(f: (...args: [...I, A]) => Kind2<F, E, B>) => <S>(self: PyTree<A, S>) => Kind2<F, E, PyTree<B, S>>
  <F extends URIS>(
    F: Applicative1<F>
  ): <A, B>(f: (...args: [...I, A]) => Kind<F, B>) => <S>(self: PyTree<A, S>) => Kind<F, PyTree<B, S>>
  <F>(
    F: Applicative<F>
  ): <A, B>(f: (...args: [...I, A]) => HKT<F, B>) => <S>(self: PyTree<A, S>) => HKT<F, PyTree<B, S>>
}

/** Runs an effect for every leaf, left to right, and collects the results in the same structure. */
export const traverse: Traverse<[]> =
  <F>(F: Applicative<F>) =>
  <A, B>(f: (leaf: A) => HKT<F, B>) =>
  <S>(self: PyTree<A, S>): HKT<F, PyTree<B, S>> =>
    traverseLeaves(F, self, (leaf) => f(leaf))

/** `traverse` with the path of each leaf. */
export const traverseWithIndex: Traverse<[path: KeyPath]> =
  <F>(F: Applicative<F>) =>
  <A, B>(f: (path: KeyPath, leaf: A) => HKT<F, B>) =>
  <S>(self: PyTree<A, S>): HKT<F, PyTree<B, S>> => {
    const paths = TreeDef.paths(self.treedef)
    return traverseLeaves(F, self, (leaf, index) => f(paths[index]!, leaf))
  }

/** Equality of trees: the same structure, and leaves that are equal one by one. */
export const getEq = <A>(E: Eq.Eq<A>): Eq.Eq<PyTree<A>> => ({
  equals: (self, that) =>
    Equal.equals(self.treedef, that.treedef) && self.leaves.every((leaf, index) => E.equals(leaf, that.leaves[index]!))
})

/** Shows a tree as its structure and its leaves. */
export const getShow = <A>(S: Show<A>): Show<PyTree<A>> => ({
  show: ({ leaves, treedef }) => `${String(treedef)}[${leaves.map((leaf) => S.show(leaf)).join(", ")}]`
})

/**
 * Functor.
 *
 *     map(a => a) = id      map(g ∘ f) = map(g) ∘ map(f)
 */
export const Functor: Functor1<URI> = { URI, map: (self, f) => map(f)(self) }

/** Functor with the path of each leaf as index. */
export const FunctorWithIndex: FunctorWithIndex1<URI, KeyPath> = {
  ...Functor,
  mapWithIndex: (self, f) => mapWithIndex(f)(self)
}

/** Foldable: the leaves, left to right. */
export const Foldable: Foldable1<URI> = {
  URI,
  reduce: (self, initial, f) => reduce(initial, f)(self),
  foldMap: (M) => (self, f) => foldMap(M)(f)(self),
  reduceRight: (self, initial, f) => reduceRight(initial, f)(self)
}

/** Foldable with the path of each leaf as index. */
export const FoldableWithIndex: FoldableWithIndex1<URI, KeyPath> = {
  ...Foldable,
  reduceWithIndex: (self, initial, f) => reduceWithIndex(initial, f)(self),
  foldMapWithIndex: (M) => (self, f) => foldMapWithIndex(M)(f)(self),
  reduceRightWithIndex: (self, initial, f) => reduceRightWithIndex(initial, f)(self)
}

/**
 * Traversable.
 *
 *     traverse(Identity)(Identity.of) = id      t(traverse(F)(f)) = traverse(G)(t ∘ f)      for t: F ~> G
 *     traverse(Compose(F, G))(F.map(g) ∘ f) = F.map(traverse(G)(g)) ∘ traverse(F)(f)
 */
export const Traversable: Traversable1<URI> = {
  ...Functor,
  ...Foldable,
  traverse:
    <F>(F: Applicative<F>) =>
    <A, B>(self: PyTree<A>, f: (leaf: A) => HKT<F, B>) =>
      traverse(F)(f)(self),
  sequence:
    <F>(F: Applicative<F>) =>
    <A>(self: PyTree<HKT<F, A>>) =>
      traverse(F)((leaf: HKT<F, A>) => leaf)(self)
}

/** Traversable with the path of each leaf as index. */
export const TraversableWithIndex: TraversableWithIndex1<URI, KeyPath> = {
  ...FunctorWithIndex,
  ...FoldableWithIndex,
  ...Traversable,
  traverseWithIndex:
    <F>(F: Applicative<F>) =>
    <A, B>(self: PyTree<A>, f: (path: KeyPath, leaf: A) => HKT<F, B>) =>
      traverseWithIndex(F)(f)(self)
}
