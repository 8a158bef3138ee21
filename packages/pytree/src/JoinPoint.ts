/**
 * Join points: the border between an outer tree and the trees that sit at its leaves.
 *
 * A join point is a leaf, whatever it holds: walking the outer tree stops there. Optimizer states use it to show, for
 * each parameter, the sub-state that belongs to it.
 *
 * @example
 * ```ts
 * import { JoinPoint, PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const joined = JoinPoint.make({ m: 1, v: 2 })
 * assert.deepStrictEqual(PyTree.leaves({ w: joined }), [joined])
 * assert.deepStrictEqual([...joined], [{ m: 1, v: 2 }])
 * assert.ok(JoinPoint.isJoinPoint(joined) && !JoinPoint.isJoinPoint(joined.subtree))
 * ```
 */
import * as Predicate from "effect/Predicate"

const TypeId = "~@optim/pytree/JoinPoint"

/**
 * Marks `subtree` as one leaf of an outer tree; iterating a join point yields its subtree once.
 */
export class JoinPoint<out T> implements Iterable<T> {
  readonly subtree: T

  constructor(subtree: T) {
    this.subtree = subtree
  }

  get [TypeId](): typeof TypeId {
    return TypeId
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield this.subtree
  }
}

/** Marks a tree as one leaf of an outer tree. */
export const make = <T>(subtree: T): JoinPoint<T> => new JoinPoint(subtree)

/** Is this value a join point? True also for one made by another copy of this package. */
export const isJoinPoint = (u: unknown): u is JoinPoint<unknown> => Predicate.hasProperty(u, TypeId)
