/**
 * How a value comes apart and is put together again: the protocol of nodes.
 *
 * A class takes part by carrying its node type under a string key, so that two copies of this package agree about it;
 * a class that one cannot change is registered by its constructor, on `globalThis`, for the same reason. Arrays, plain
 * objects and `null` have no node type: the walkers know them.
 */
import type * as Schema from "effect/Schema"
import type { Key } from "../KeyPath.ts"
import { builtin } from "./builtin.ts"

/** The key under which a class keeps its node type. */
export const symbol = "~@optim/pytree/Node"

/** A node taken apart: its children, what else it consists of, and the keys of its children in paths. */
export interface Parts<out M, out C = unknown> {
  readonly children: ReadonlyArray<C>
  readonly metadata?: M
  readonly keys?: ReadonlyArray<Key> | undefined
}

/**
 * How instances of `A` come apart into children of type `C` and metadata `M`, and are put together.
 *
 * `unflatten(metadata, children)` must undo `flatten`. Metadata belongs to the structure: it is compared with `Equal`.
 * `name` identifies the node type across copies of a package and in JSON, where `metadata` is the codec of the metadata.
 */
export interface NodeType<A, M = unknown, C = unknown> {
  readonly name?: string | undefined
  readonly metadata?: Schema.Codec<M, unknown> | undefined
  flatten(self: A): Parts<M, C>
  unflatten(metadata: M, children: ReadonlyArray<C>): A
}

/** A class that carries its own node type. */
export interface Node<out A = unknown, out C = unknown> {
  readonly [symbol]: { flatten(self: never): Parts<unknown, C>; unflatten(metadata: never, children: never): A }
}

// the walkers handle node types of all classes alike; which metadata and children belong together is the type's affair
export type AnyNodeType = NodeType<unknown>

interface Register {
  readonly byPrototype: Map<object, AnyNodeType>
  readonly byName: Map<string, AnyNodeType>
}

const registerKey = "~@optim/pytree/register"

/** The register of this process, shared by all copies of this package. */
export const register = (): Register => {
  // the only module-level state: `globalThis` is not typed for our key
  const home = globalThis as { [registerKey]?: Register }
  return (home[registerKey] ??= { byPrototype: new Map(), byName: new Map() })
}

/** The node type of a class instance, or nothing when it is a leaf. */
export const nodeTypeOf = (node: object): AnyNodeType | undefined => {
  const prototype = Object.getPrototypeOf(node) as object
  return register().byPrototype.get(prototype) ?? (node as { [symbol]?: AnyNodeType })[symbol] ?? builtin(prototype)
}

/** Two node types are the same if they are one object or carry the same name. */
export const sameType = (self: AnyNodeType, that: AnyNodeType): boolean =>
  self === that || (self.name !== undefined && self.name === that.name)
