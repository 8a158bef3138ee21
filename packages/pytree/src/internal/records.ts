/**
 * Structures as flat lists: one record for each node, parents before children.
 *
 * A list, not a tree of objects: every operation on it is a loop, so no depth of nesting can exhaust the stack, and two
 * structures compare in one pass. Walking it backwards puts a tree together, walking it forwards takes one apart.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import type { Key } from "../KeyPath.ts"
import { type AnyNodeType, type Parts, sameType } from "./nodeType.ts"

export const Leaf = 0
export const Null = 1
export const Sequence = 2
export const Dict = 3
export const Custom = 4
export type Kind = typeof Leaf | typeof Null | typeof Sequence | typeof Dict | typeof Custom

/** One node of a structure. All kinds have all fields, so that the engine sees a single shape. */
export interface Record {
  readonly kind: Kind
  readonly arity: number
  /** `Dict`: the keys, sorted; otherwise empty */
  readonly keys: ReadonlyArray<string>
  /** `Custom`: the node type */
  readonly type: AnyNodeType | undefined
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
  metadata: undefined,
  attributes: undefined
})

export const leaf: Record = plain(Leaf, 0, none)
export const nothing: Record = plain(Null, 0, none)

const short = Array.from({ length: 32 }, (_, arity) => plain(Sequence, arity, none))
export const sequence = (arity: number): Record => short[arity] ?? plain(Sequence, arity, none)

export const dict = (keys: ReadonlyArray<string>): Record => plain(Dict, keys.length, keys)

export const customOf = (
  type: AnyNodeType,
  arity: number,
  metadata: unknown,
  attributes?: ReadonlyArray<Key>
): Record => ({ kind: Custom, arity, keys: none, type, metadata, attributes })

export const custom = (type: AnyNodeType, { children, keys, metadata }: Parts<unknown>): Record =>
  customOf(type, children.length, metadata, keys)

const sameKeys = (self: ReadonlyArray<string>, that: ReadonlyArray<string>): boolean => {
  for (let i = 0; i < self.length; i++) if (self[i] !== that[i]) return false
  return true
}

/** Do two nodes agree, leaving their children out of account? */
export const sameNode = (self: Record, that: Record): boolean =>
  self === that ||
  (self.kind === that.kind &&
    self.arity === that.arity &&
    sameKeys(self.keys, that.keys) &&
    (self.kind !== Custom || (sameType(self.type!, that.type!) && Equal.equals(self.metadata, that.metadata))))

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
