/**
 * The one traversal that takes trees apart, left to right.
 *
 * A chain of frames replaces the call stack. Cycles are looked for only when a path grows longer than sensible trees
 * are, and again at each doubling: an endless walk always ends up on an endless path, so small trees pay nothing.
 */
import type { Key, KeyPath } from "../../KeyPath.ts"
import type { AnyNodeType } from "../nodes/nodeType.ts"
import { childKey } from "../structure/paths.ts"
import { isPlainPrototype, sortedKeys } from "../nodes/plain.ts"
import * as R from "../structure/records.ts"
import { nodeTypeOf } from "../nodes/register.ts"

/** Tells whether a node is to be taken as a leaf; its path is worked out only when asked for. */
export type IsLeaf = (node: unknown, path: () => KeyPath) => boolean

/** What can be wrong with a tree by itself. */
export type Problem =
  | { readonly _tag: "Cycle"; readonly path: KeyPath }
  | {
      readonly _tag: "Keys"
      readonly path: KeyPath
      readonly node: string
      readonly children: number
      readonly keys: number
    }

/** How to traverse: what to throw, and which nodes are leaves. */
export interface Traversal {
  readonly refuse: (problem: Problem) => never
  readonly isLeaf?: IsLeaf | undefined
}

/** A node on the way from the root to the one being visited. */
interface Frame {
  readonly record: R.Record
  readonly node: unknown
  /** what holds the children: the node itself, or the children a custom node gave */
  readonly source: unknown
  readonly parent: Frame | undefined
  readonly depth: number
  next: number
}

const pathOf = (frame: Frame | undefined): KeyPath => {
  const path: Array<Key> = []
  for (let f = frame; f !== undefined; f = f.parent) path.push(childKey(f.record, f.next - 1))
  return path.toReversed()
}

const nextChild = (frame: Frame): unknown => {
  const { record, source } = frame
  const index = frame.next++
  return record.kind === R.Dict
    ? (source as Readonly<Record<string, unknown>>)[record.keys[index]!]
    : (source as ReadonlyArray<unknown>)[index]
}

const refuseCycle = (last: Frame, { refuse }: Traversal): void => {
  const frames: Array<Frame> = []
  for (let f: Frame | undefined = last; f !== undefined; f = f.parent) frames.push(f)
  const seen = new Set<unknown>()
  for (const { node, parent } of frames.toReversed()) {
    if (seen.has(node)) refuse({ _tag: "Cycle", path: pathOf(parent) })
    seen.add(node)
  }
}

/** The record of a leaf, a null, an array or a plain object; `undefined` for a class instance. */
const plainRecord = (node: unknown): R.Record | undefined => {
  if (node === null || node === undefined) return R.nothing
  if (typeof node !== "object") return R.leaf
  const prototype = Object.getPrototypeOf(node) as object | null
  if (prototype === Array.prototype) return R.sequence((node as ReadonlyArray<unknown>).length)
  return isPlainPrototype(prototype) ? R.dict(sortedKeys(node)) : undefined
}

/** Is this value taken as it is, no node of any kind? */
export const isLeafValue = (node: unknown): boolean => {
  const record = plainRecord(node)
  return record === undefined ? nodeTypeOf(node as object) === undefined : record.kind === R.Leaf
}

/** how deep a tree gets before cycles are first looked for */
const firstSearch = 512

/** A traversal under way. */
class Walk {
  readonly leaves: Array<unknown> = []
  readonly records: Array<R.Record> = []
  #traversal: Traversal
  #frame: Frame | undefined
  #search = firstSearch

  constructor(traversal: Traversal) {
    this.#traversal = traversal
  }

  /** Visits a node; the answer is whether there is another one to visit. */
  visit(node: unknown): boolean {
    const record = this.#isMarked(node) ? R.leaf : plainRecord(node)
    if (record === undefined) this.#visitInstance(node as object)
    else if (record.kind === R.Leaf) this.#leaf(node)
    else this.#enter(record, node, node)
    while (this.#frame !== undefined && this.#frame.next === this.#frame.record.arity) this.#frame = this.#frame.parent
    return this.#frame !== undefined
  }

  /** The node to visit next. */
  next(): unknown {
    return nextChild(this.#frame!)
  }

  #isMarked(node: unknown): boolean {
    const { isLeaf } = this.#traversal
    return isLeaf !== undefined && isLeaf(node, () => pathOf(this.#frame))
  }

  #leaf(node: unknown): void {
    this.records.push(R.leaf)
    this.leaves.push(node)
  }

  #visitInstance(node: object): void {
    const type = nodeTypeOf(node)
    if (type === undefined) this.#leaf(node)
    else this.#open(type, node)
  }

  #open(type: AnyNodeType, node: object): void {
    const parts = type.flatten(node)
    const { children, keys = children } = parts
    if (keys.length !== children.length) {
      const path = pathOf(this.#frame)
      this.#traversal.refuse({
        _tag: "Keys",
        path,
        node: R.typeLabel(type, Object.getPrototypeOf(node) as object),
        children: children.length,
        keys: keys.length
      })
    }
    this.#enter(R.custom(type, Object.getPrototypeOf(node) as object, parts), node, children)
  }

  #enter(record: R.Record, node: unknown, source: unknown): void {
    this.records.push(record)
    if (record.arity === 0) return
    const parent = this.#frame
    const depth = parent === undefined ? 1 : parent.depth + 1
    this.#frame = { record, node, source, parent, depth, next: 0 }
    if (depth < this.#search) return
    refuseCycle(this.#frame, this.#traversal)
    this.#search *= 2
  }
}

/** The leaves and the records of a tree. */
export const traverse = (
  tree: unknown,
  traversal: Traversal
): { readonly leaves: Array<unknown>; readonly records: R.Records } => {
  const walk = new Walk(traversal)
  let node = tree
  while (walk.visit(node)) node = walk.next()
  return walk
}
