/** All places in which two structures differ. */
import type { Key, KeyPath } from "../../KeyPath.ts"
import { quote } from "../quote.ts"
import { childKey } from "./paths.ts"
import { customName } from "./print.ts"
import * as R from "./records.ts"

/** Whether a leaf of the expected structure stands for any subtree, or only for a leaf. */
export type Mode = "prefix" | "exact"

/** One place in which two structures differ. */
export interface Difference {
  readonly path: KeyPath
  readonly expected: string
  readonly found: string
}

/** A path that shares its beginning with others. */
interface Link {
  readonly key: Key
  readonly parent: Link | undefined
}

/** Two nodes to be compared, by their positions; a missing one has none. */
interface Pair {
  readonly expected: number | undefined
  readonly found: number | undefined
  readonly link: Link | undefined
}

const toPath = (link: Link | undefined): KeyPath => {
  const path: Array<Key> = []
  for (let l = link; l !== undefined; l = l.parent) path.push(l.key)
  return path.toReversed()
}

/** of an object with more keys than this, only the first are named */
const namedKeys = 6

const withKeys = (keys: ReadonlyArray<string>): string => {
  if (keys.length === 0) return "an empty object"
  const named = keys.slice(0, namedKeys).map(quote).join(", ")
  return `an object with ${named}${keys.length > namedKeys ? `, … (${keys.length} keys)` : ""}`
}

/** A node in words: `an array of 3`. */
const describe = (record: R.Record | undefined): string => {
  switch (record?.kind) {
    case undefined:
      return "nothing"
    case R.Leaf:
      return "a leaf"
    case R.Null:
      return "null"
    case R.Sequence:
      return `an array of ${record.arity}`
    case R.Dict:
      return withKeys(record.keys)
    case R.Custom:
      return `${customName(record)} of ${record.arity}`
  }
}

const difference = (path: KeyPath, expected: R.Record | undefined, found: R.Record | undefined): Difference => {
  const [one, other] = [describe(expected), describe(found)]
  return { path, expected: one, found: one === other ? `${other} by another class` : other }
}

/** A structure whose subtrees can be skipped. */
class Walkable {
  readonly records: R.Records
  readonly #ends: ReadonlyArray<number>

  constructor(records: R.Records) {
    this.records = records
    this.#ends = R.ends(records)
  }

  record(position: number | undefined): R.Record | undefined {
    return position === undefined ? undefined : this.records[position]
  }

  children(position: number): ReadonlyArray<number> {
    const children: Array<number> = []
    let child = position + 1
    for (let i = this.records[position]!.arity; i > 0; i--) {
      children.push(child)
      child = this.#ends[child]!
    }
    return children
  }

  entries(position: number): ReadonlyMap<string, number> {
    const children = this.children(position)
    return new Map(this.records[position]!.keys.map((key, index) => [key, children[index]!]))
  }
}

/** Do the nodes agree so far that their children can be compared one by one? */
const comparable = (expected: R.Record, found: R.Record): boolean =>
  expected.kind === found.kind && (expected.kind === R.Custom ? R.sameNode(expected, found) : true)

const agree = (expected: R.Record | undefined, found: R.Record | undefined, mode: Mode): boolean => {
  if (expected === undefined || found === undefined) return false
  if (expected.kind === R.Leaf) return mode === "prefix" || found.kind === R.Leaf
  // what differs between two objects is reported key by key
  if (expected.kind === R.Dict && found.kind === R.Dict) return true
  return R.sameNode(expected, found)
}

/** Every path at which `found` differs from `expected`, left to right. */
export const differences = (expected: R.Records, found: R.Records, mode: Mode): ReadonlyArray<Difference> => {
  const left = new Walkable(expected)
  const right = new Walkable(found)
  const result: Array<Difference> = []
  const stack: Array<Pair> = [{ expected: 0, found: 0, link: undefined }]
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [one, other] = [left.record(pair.expected), right.record(pair.found)]
    if (!agree(one, other, mode)) result.push(difference(toPath(pair.link), one, other))
    if (one !== undefined && other !== undefined && comparable(one, other)) {
      for (const child of childPairs(left, right, pair).toReversed()) stack.push(child)
    }
  }
  return result
}

const childPairs = (left: Walkable, right: Walkable, pair: Pair): Array<Pair> => {
  const [one, other] = [left.record(pair.expected)!, right.record(pair.found)!]
  if (one.kind === R.Dict) return entryPairs(left, right, pair)
  const [ours, theirs] = [left.children(pair.expected!), right.children(pair.found!)]
  return Array.from({ length: Math.min(one.arity, other.arity) }, (_, index) => ({
    expected: ours[index],
    found: theirs[index],
    link: { key: childKey(one, index), parent: pair.link }
  }))
}

const entryPairs = (left: Walkable, right: Walkable, pair: Pair): Array<Pair> => {
  const [ours, theirs] = [left.entries(pair.expected!), right.entries(pair.found!)]
  const keys = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted()
  return keys.map((key) => ({
    expected: ours.get(key),
    found: theirs.get(key),
    link: { key: { _tag: "DictKey", key }, parent: pair.link }
  }))
}
