/**
 * Trees for fp-ts: instances of its type classes, in its own encoding.
 *
 * A plain tree is no lawful functor: a function whose result is an array turns a leaf into a node, so that the next map
 * goes into it. `PyTree<A>` keeps structure and leaves apart, hence obeys the laws for every `A`. `fromTree` takes a
 * plain tree apart, `toTree` puts it together again; the functions between keep the type of the tree, the instances,
 * which know only the type of the leaves, do not.
 *
 * @example
 * ```ts
 * import * as T from "@optim/pytree/fp-ts"
 * import { function as F, option as O } from "fp-ts"
 * import * as assert from "node:assert"
 *
 * const params = { w: 2, b: [3, 4] }
 * const mapped: { w: string; b: Array<string> } = F.pipe(T.fromTree(params), T.map(String), T.toTree)
 * assert.deepStrictEqual(mapped, { w: "2", b: ["3", "4"] })
 *
 * const root = (x: number) => (x < 0 ? O.none : O.some(Math.sqrt(x)))
 * assert.deepStrictEqual(F.pipe(T.fromTree({ a: 4, b: 9 }), T.traverse(O.Applicative)(root), O.map(T.toTree)), O.some({ a: 2, b: 3 }))
 * assert.deepStrictEqual(F.pipe(T.fromTree({ a: 4, b: -9 }), T.traverse(O.Applicative)(root)), O.none)
 * ```
 */
import type { Applicative, Applicative1, Applicative2, Applicative2C, Applicative3 } from "fp-ts/lib/Applicative.js"
