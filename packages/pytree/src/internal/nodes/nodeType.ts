/**
 * The protocol of nodes: how a class instance comes apart and is put together again.
 *
 * A class takes part by carrying its node type under a string key, so that two copies of this package agree about it.
 * Arrays, plain objects and `null` have no node type: the walkers know them.
 */
import type * as Schema from "effect/Schema"
import type { Key } from "../../KeyPath.ts"

/**
 * The key under which a class keeps its node type.
 *
 * A getter on the prototype is the usual place; subclasses inherit it and are rebuilt by the same `unflatten`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * class Pair<A> {
 *   constructor(left: A, right: A, label: string) {
 *     this.left = left
 *     this.right = right
 *     this.label = label
 *   }
 *   readonly left: A
 *   readonly right: A
 *   readonly label: string
 *   get [PyTree.symbol](): PyTree.NodeType<Pair<A>, string, A> {
 *     return {
 *       name: "Pair",
 *       flatten: (self) => ({ children: [self.left, self.right], metadata: self.label }),
 *       unflatten: (label, [left, right]) => new Pair(left!, right!, label)
 *     }
 *   }
 * }
 *
 * const doubled = PyTree.map(new Pair(1, 2, "ends"), (leaf) => leaf * 2)
 * assert.deepStrictEqual(doubled, new Pair(2, 4, "ends"))
 * assert.strictEqual(String(PyTree.structure(doubled)), "PyTreeDef(CustomNode(Pair[ends], [*, *]))")
 * ```
 */
export const symbol = "~@optim/pytree/Node"

/** A node taken apart: its children, what else it consists of, and the keys of its children in paths. */
export interface Parts<out M, out C = unknown> {
  readonly children: ReadonlyArray<C>
  /** Part of the structure: two nodes agree only if their metadata is `Equal`. */
  readonly metadata?: M
  /** One key for each child; without them, paths show its position. */
  readonly keys?: ReadonlyArray<Key> | undefined
}

/**
 * How instances of `A` come apart into children of type `C` and metadata `M`, and are put together.
 *
 * `unflatten(metadata, children)` undoes `flatten`. It must take children of any type: a mapped tree has other leaves.
 */
export interface NodeType<A, M = unknown, C = unknown> {
  /**
   * Identifies the node type across copies of a package and in JSON, so it should be as unique as a package's name.
   * Without it, the class itself identifies the nodes, and their structure cannot be written to JSON.
   */
  readonly name?: string
  /** The codec of the metadata, for `TreeDef.schema`. Without it, only nodes without metadata can be written. */
  readonly metadata?: Schema.Codec<M, unknown> | undefined
  flatten(self: A): Parts<M, C>
  unflatten(metadata: M, children: ReadonlyArray<C>): A
}

/** A class that carries its own node type, with children of type `C`. */
export interface Node<out A = unknown, out C = unknown> {
  readonly [symbol]: { flatten(self: never): Parts<unknown, C>; unflatten(metadata: never, children: never): A }
}

/** A node type as the walkers see it: which metadata and children belong together is its own affair. */
export type AnyNodeType = NodeType<unknown>
