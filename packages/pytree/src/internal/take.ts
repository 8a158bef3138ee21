/**
 * Taking trees apart: the one traversal that `flatten` and all its relatives share.
 *
 * A chain of frames replaces the call stack. Cycles are looked for only when a path grows longer than any sensible tree
 * (and again at each doubling): an endless walk always ends up on an endless path, so small trees pay nothing for it.
 */
import type { Key, KeyPath } from "../KeyPath.ts"
import { CyclicTree, InvalidNode } from "../TreeError.ts"
import { Def, type TreeDef } from "./def.ts"
import { type AnyNodeType, nodeTypeOf, type Parts } from "./nodeType.ts"
import { childKey } from "./paths.ts"
import { isPlainPrototype, sortedKeys } from "./plain.ts"
import { typeName } from "./print.ts"
import * as R from "./records.ts"

/** Tells whether a node is to be taken as a leaf. */
export type IsLeaf = (node: unknown, path: KeyPath) => boolean

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

const rootPath: KeyPath = []

const pathOf = (frame: Frame | undefined): Array<Key> => {
  const path: Array<Key> = []
  for (let f = frame; f !== undefined; f = f.parent) path.push(childKey(f.record, f.next - 1))
  return path.toReversed()
}

const child = ({ record, source }: Frame, index: number): unknown =>
  record.kind === R.Dict
    ? (source as Readonly<Record<string, unknown>>)[record.keys[index]!]
    : (source as ReadonlyArray<unknown>)[index]

const firstSearch = 512

const refuseCycle = (last: Frame, operation: string): void => {
  const frames: Array<Frame> = []
  for (let f: Frame | undefined = last; f !== undefined; f = f.parent) frames.push(f)
  const seen = new Set<unknown>()
  for (const frame of frames.toReversed()) {
    if (seen.has(frame.node)) throw new CyclicTree({ operation, path: pathOf(frame.parent) })
    seen.add(frame.node)
  }
}

const refuseKeys = (type: AnyNodeType, parts: Parts<unknown>, path: KeyPath, operation: string): void => {
  const expected = `${parts.children.length} keys, one for each child`
  throw new InvalidNode({ operation, node: typeName(type), path, expected, found: `${parts.keys?.length} keys` })
}

/** The record of a leaf, a null, an array or a plain object; `undefined` for a class instance. */
export const plainRecord = (node: unknown): R.Record | undefined => {
  if (node === null || node === undefined) return R.nothing
  if (typeof node !== "object") return R.leaf
  const prototype = Object.getPrototypeOf(node) as object | null
  if (prototype === Array.prototype) return R.sequence((node as ReadonlyArray<unknown>).length)
  return isPlainPrototype(prototype) ? R.dict(sortedKeys(node)) : undefined
}

/** The leaves and the nodes of a tree, left to right. */
export const take = (
  tree: unknown,
  operation: string,
  isLeaf?: IsLeaf,
  withPath = false
): { readonly leaves: Array<unknown>; readonly def: TreeDef<never> } => {
  const leaves: Array<unknown> = []
  const records: Array<R.Record> = []
  let frame: Frame | undefined
  let search = firstSearch
  let node = tree
  for (;;) {
    let source = node
    let record: R.Record | undefined
    if (isLeaf !== undefined && isLeaf(node, withPath ? pathOf(frame) : rootPath)) record = R.leaf
    else record = plainRecord(node)
    if (record === undefined) {
      const type = nodeTypeOf(node as object)
      if (type === undefined) record = R.leaf
      else {
        const parts = type.flatten(node)
        if (parts.keys !== undefined && parts.keys.length !== parts.children.length) {
          refuseKeys(type, parts, pathOf(frame), operation)
        }
        record = R.custom(type, parts)
        source = parts.children
      }
    }
    records.push(record)
    if (record.kind === R.Leaf) leaves.push(node)
    else if (record.arity > 0) {
      const depth: number = frame === undefined ? 1 : frame.depth + 1
      frame = { record, node, source, parent: frame, depth, next: 0 }
      if (depth === search) {
        refuseCycle(frame, operation)
        search *= 2
      }
    }
    while (frame !== undefined && frame.next === frame.record.arity) frame = frame.parent
    if (frame === undefined) return { leaves, def: new Def(records, leaves.length) }
    node = child(frame, frame.next++)
  }
}
