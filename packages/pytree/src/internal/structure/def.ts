/** The value behind `TreeDef`: a list of records with its hash and its paths, made when first asked for. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import type { KeyPath } from "../../KeyPath.ts"
import { leafPaths } from "./paths.ts"
import { print } from "./print.ts"
import * as R from "./records.ts"

const TypeId = "~@optim/pytree/TreeDef"

/**
 * The structure of a tree: all of it but its leaves. `T` is the type of the tree it was taken from.
 *
 * Two structures are `Equal` if they have the same nodes with the same keys and metadata in the same places.
 */
export interface TreeDef<out T = unknown> extends Equal.Equal {
  readonly [TypeId]: { readonly _T: (_: never) => T }
  /** How many leaves the tree has. */
  readonly leafCount: number
  /** How many nodes the tree has: containers, nulls and leaves. */
  readonly nodeCount: number
  toString(): string
}

const variance = { _T: (_: never) => _ }

export class Def implements TreeDef<never> {
  readonly [TypeId] = variance
  readonly records: R.Records
  readonly leafCount: number
  #hash: number | undefined
  #paths: ReadonlyArray<KeyPath> | undefined

  constructor(records: R.Records, leafCount: number) {
    this.records = records
    this.leafCount = leafCount
  }

  get nodeCount(): number {
    return this.records.length
  }

  get paths(): ReadonlyArray<KeyPath> {
    return (this.#paths ??= leafPaths(this.records))
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that || (isTreeDef(that) && R.equals(this.records, recordsOf(that)))
  }

  [Hash.symbol](): number {
    return (this.#hash ??= R.hash(this.records))
  }

  toString(): string {
    return `PyTreeDef(${print(this.records)})`
  }

  toJSON(): string {
    return this.toString()
  }

  [NodeInspectSymbol](): string {
    return this.toString()
  }
}

/**
 * Is this value the structure of a tree?
 *
 * @example
 * ```ts
 * import { PyTree, TreeDef } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * assert.ok(TreeDef.isTreeDef(PyTree.structure([1])) && !TreeDef.isTreeDef([1]))
 * ```
 */
export const isTreeDef = (u: unknown): u is TreeDef => Predicate.hasProperty(u, TypeId)

/** The records of a structure; every `TreeDef` is a `Def`, maybe of another copy of this package. */
export const recordsOf = (def: TreeDef): R.Records => (def as Def).records

/** Makes a structure of well-formed records, counting its leaves. */
export const fromRecords = <T>(records: R.Records): TreeDef<T> => {
  let leaves = 0
  for (const record of records) if (record.kind === R.Leaf) leaves++
  return new Def(records, leaves)
}
