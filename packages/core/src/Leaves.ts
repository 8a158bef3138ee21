/**
 * The leaves of a tree while an update is traced: symbolic tensors side by side, whatever the user's tree looks like.
 *
 * A transform never walks a tree. It gets gradients, parameters and its own state as lists of leaves of one structure,
 * and says what happens to each (`map`), or to all of them together (`globalNorm`). A list may be a part of the tree:
 * what is masked is simply not there. Outside, in a state, such a list is a tree again, with `null` where it has no leaf.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { PyTree } from "@optim/pytree"
 * import { Expr, Leaves } from "@optim/core"
 *
 * const spec = { shape: [2], dtype: "float32" } as const
 * const g = Leaves.make(PyTree.structure({ b: 0, w: 0 }), [Expr.input(0, spec), Expr.input(1, spec)])
 * const doubled = Leaves.map(g, (leaf) => Expr.mul(2, leaf))
 * assert.deepStrictEqual(doubled.items.map(({ shape }) => shape), [[2], [2]])
 * assert.deepStrictEqual(Leaves.globalNorm(g).shape, []) // one number for the whole tree
 * ```
 */
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import * as Schema from "effect/Schema"
import * as Expr from "./Expr.ts"
import { pathOf } from "./internal/leaves.ts"
import { addUp } from "./internal/trace/addUp.ts"
import { InvalidExpression } from "./OptimError.ts"

const TypeId = "~@optim/core/Leaves"

interface Place {
  readonly treeDef: TreeDef.TreeDef
  readonly at: ReadonlyArray<number>
}

/** Something for each leaf of a tree, or of a part of a tree. */
export class Leaves<out A> {
  readonly [TypeId]: typeof TypeId = TypeId
  /** The structure of the whole tree. */
  readonly treeDef: TreeDef.TreeDef
  /** Which of its leaves these are, by position. */
  readonly at: ReadonlyArray<number>
  readonly items: ReadonlyArray<A>

  constructor({ at, treeDef }: Place, items: ReadonlyArray<A>) {
    this.treeDef = treeDef
    this.at = at
    this.items = items
  }

  /** Leaves are a node of pytrees, with the place in the tree as metadata. */
  get [PyTree.symbol](): PyTree.NodeType<Leaves<unknown>, Place> {
    return node
  }
}

const node: PyTree.NodeType<Leaves<unknown>, Place> = {
  name: "@optim/core/Leaves",
  metadata: Schema.Struct({ treeDef: TreeDef.schema, at: Schema.Array(Schema.Int) }),
  flatten: ({ at, items, treeDef }) => ({
    children: items,
    keys: at.map((index) => KeyPath.FlattenedIndexKey(index)),
    metadata: { treeDef, at }
  }),
  unflatten: (place, items) => new Leaves(place, items)
}

/** Is this a list of leaves? */
export const isLeaves = (u: unknown): u is Leaves<unknown> => u instanceof Leaves

/** One item for each leaf of a structure. */
export const make = <A>(treeDef: TreeDef.TreeDef, items: ReadonlyArray<A>): Leaves<A> =>
  new Leaves({ treeDef, at: items.map((_, index) => index) }, items)

const nth = <A>({ items }: Leaves<A>, index: number): A => {
  if (index >= items.length) throw new Error("lists that are mapped together have the same leaves")
  // The index is within the list, whose items may be undefined by their type.
  return items[index] as A
}

/** Runs a rule for one leaf; an expression that makes no sense is reported with the leaf. */
const atLeaf = <A>({ at, treeDef }: Place, index: number, run: () => A): A => {
  try {
    return run()
  } catch (error) {
    if (error instanceof InvalidExpression && error.path === undefined)
      throw new InvalidExpression({
        operation: error.operation,
        path: pathOf(treeDef, at[index] ?? 0),
        detail: error.detail
      })
    throw error
  }
}

/**
 * A function applied leaf by leaf to lists of the same leaves; the last argument is the function.
 *
 * An expression that makes no sense is reported with the key path of its leaf.
 */
export const map: {
  <A, B>(a: Leaves<A>, f: (a: A, index: number) => B): Leaves<B>
  <A, B, C>(a: Leaves<A>, b: Leaves<B>, f: (a: A, b: B, index: number) => C): Leaves<C>
  <A, B, C, D>(a: Leaves<A>, b: Leaves<B>, c: Leaves<C>, f: (a: A, b: B, c: C, index: number) => D): Leaves<D>
} = (first: Leaves<unknown>, ...rest: ReadonlyArray<unknown>): never => {
  const others = rest.slice(0, -1) as ReadonlyArray<Leaves<unknown>>
  const f = rest.at(-1) as (...args: ReadonlyArray<unknown>) => unknown
  const items = first.items.map((item, index) =>
    atLeaf(first, index, () => f(item, ...others.map((other) => nth(other, index)), index))
  )
  // The overloads say what it is.
  return new Leaves(first, items) as never
}

/** Two lists of one: what a function that gives pairs makes of each leaf. */
export const unzip = <A, B>(pairs: Leaves<readonly [A, B]>): readonly [Leaves<A>, Leaves<B>] => [
  map(pairs, ([a]) => a),
  map(pairs, ([, b]) => b)
]

/** The leaves at some positions of the whole tree. */
export const select = <A>(self: Leaves<A>, keep: (position: number) => boolean): Leaves<A> => {
  const kept = self.at.flatMap((position, index) => (keep(position) ? [{ position, item: nth(self, index) }] : []))
  return new Leaves(
    { treeDef: self.treeDef, at: kept.map(({ position }) => position) },
    kept.map(({ item }) => item)
  )
}

/** The leaves of `self`, those that `other` has too replaced by its own. */
export const replace = <A>(self: Leaves<A>, other: Leaves<A>): Leaves<A> => {
  const replaced = new Map(other.at.map((position, index) => [position, nth(other, index)]))
  return new Leaves(
    self,
    self.items.map((item, index) => {
      const position = self.at[index] ?? 0
      // A list may hold undefined.
      return replaced.has(position) ? (replaced.get(position) as A) : item
    })
  )
}

/** The list as a tree of the user's structure, with `null` where it has no leaf. */
export const toTree = <A>(self: Leaves<A>): unknown => {
  const all = new Array<A | null>(self.treeDef.leafCount).fill(null)
  self.at.forEach((position, index) => {
    all[position] = nth(self, index)
  })
  return PyTree.unflatten(self.treeDef, all)
}

/** The sum over all leaves of a number made of each, added up in pairs; 0 for no leaf. */
export const total = (numbers: Leaves<Expr.Expr>): Expr.Expr => addUp(numbers.items)

/** Σ⟨x, x⟩ over all leaves. */
export const squaredNorm = (self: Leaves<Expr.Expr>): Expr.Expr =>
  total(map(self, (leaf) => Expr.sum(Expr.square(leaf))))

/** √Σ⟨x, x⟩ over all leaves: the Euclidean norm of the tree as one vector. */
export const globalNorm = (self: Leaves<Expr.Expr>): Expr.Expr => Expr.sqrt(squaredNorm(self))
