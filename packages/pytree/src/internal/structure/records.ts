/**
 * Structures as flat lists: one record for each node, parents before children.
 *
 * A list, not a tree of objects: every operation on it is a loop, so no depth of nesting can exhaust the stack, and two
 * structures compare in one pass. Walking it backwards puts a tree together, walking it forwards takes one apart.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import type { Key } from "../../KeyPath.ts"
import type { AnyNodeType, Parts } from "../nodes/nodeType.ts"

export const Leaf = 0
export const Null = 1
export const Sequence = 2
export const Dict = 3
export const Custom = 4
type Kind = typeof Leaf | typeof Null | typeof Sequence | typeof Dict | typeof Custom

/** One node of a structure. All kinds have all fields, so that the engine sees a single shape. */
export interface Record {
  readonly kind: Kind
  readonly arity: number
  /** `Dict`: the keys, sorted; otherwise empty */
  readonly keys: ReadonlyArray<string>
  /** `Custom`: the node type */
  readonly type: AnyNodeType | undefined
  /** `Custom`: the prototype of the node, which identifies it when its type has no name */
  readonly owner: object | undefined
  /** `Custom`: what the node consists of besides its children */
  readonly metadata: unknown
  /** `Custom`: the keys of the children in paths, if it gives any */
  readonly attributes: ReadonlyArray<Key> | undefined
}

/** A structure: a well-formed preorder list. */
export type Records = ReadonlyArray<Record>

const none: ReadonlyArray<string> = []

const plain = (kind: Kind, arity: number, keys: ReadonlyArray<string>): Record => ({
  kind,
  arity,
  keys,
  type: undefined,
  owner: undefined,
  metadata: undefined,
  attributes: undefined
})

export const leaf: Record = plain(Leaf, 0, none)
export const nothing: Record = plain(Null, 0, none)

const short = Array.from({ length: 32 }, (_, arity) => plain(Sequence, arity, none))
export const sequence = (arity: number): Record => short[arity] ?? plain(Sequence, arity, none)

export const dict = (keys: ReadonlyArray<string>): Record => plain(Dict, keys.length, keys)

export const custom = (type: AnyNodeType, owner: object, { children, keys, metadata }: Parts<unknown>): Record => ({
  kind: Custom,
  arity: children.length,
  keys: none,
  type,
  owner,
  metadata,
  attributes: keys
})

/** A custom node of which only the name of its type is known, not the class. */
export const customNamed = (type: AnyNodeType, arity: number, metadata: unknown): Record => ({
  ...plain(Custom, arity, none),
  type,
  metadata
})

const sameKeys = (self: ReadonlyArray<string>, that: ReadonlyArray<string>): boolean => {
  for (let i = 0; i < self.length; i++) if (self[i] !== that[i]) return false
  return true
}

/** What a node type is called in messages: its name, or that of the class. */
export const typeLabel = (type: AnyNodeType, owner: object | undefined): string => type.name ?? owner!.constructor.name

/** Is this the type of a custom node? Two copies of one package have two objects and two classes of the same name. */
export const sameType = (self: Record, type: AnyNodeType, owner: object | undefined): boolean =>
  self.type!.name === type.name && (type.name !== undefined || self.owner === owner)

/** `Equal`, without the price of it where the metadata is the same object. */
export const sameMetadata = (self: unknown, that: unknown): boolean => self === that || Equal.equals(self, that)

/** Do two nodes agree, leaving their children out of account? */
export const sameNode = (self: Record, that: Record): boolean =>
  self === that ||
  (self.kind === that.kind &&
    self.arity === that.arity &&
    sameKeys(self.keys, that.keys) &&
    (self.kind !== Custom || (sameType(self, that.type!, that.owner) && sameMetadata(self.metadata, that.metadata))))

/** Do two structures agree in every node? */
export const equals = (self: Records, that: Records): boolean => {
  if (self === that) return true
  if (self.length !== that.length) return false
  for (let i = 0; i < self.length; i++) if (!sameNode(self[i]!, that[i]!)) return false
  return true
}

const hashNode = (record: Record): number => {
  let hash = record.kind * 31 + record.arity
  for (const key of record.keys) hash = Hash.combine(hash, Hash.string(key))
  return record.metadata === undefined ? hash : Hash.combine(hash, Hash.hash(record.metadata))
}

/** The hash that goes with `equals`. */
export const hash = (records: Records): number => {
  let hash = records.length
  for (const record of records) hash = Hash.combine(hash, hashNode(record))
  return Hash.optimize(hash)
}

/** For each node, the position just behind its subtree. */
export const ends = (records: Records): ReadonlyArray<number> => {
  const result = Array.from({ length: records.length }, () => 0)
  const stack: Array<number> = []
  for (let i = records.length - 1; i >= 0; i--) {
    let end = i + 1
    for (let k = records[i]!.arity; k > 0; k--) end = stack.pop()!
    result[i] = end
    stack.push(end)
  }
  return result
}
