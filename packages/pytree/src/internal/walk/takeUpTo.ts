/** Taking a tree apart along a given structure; what hangs below a leaf of the structure stays whole. */
import { isPlainPrototype, valuesOf } from "../nodes/plain.ts"
import * as R from "../structure/records.ts"
import { nodeTypeOf } from "../nodes/register.ts"

type Children = ReadonlyArray<unknown> | undefined

const elementsOf = (node: object, { arity }: R.Record): Children => {
  if (Object.getPrototypeOf(node) !== Array.prototype) return undefined
  const elements = node as ReadonlyArray<unknown>
  return elements.length === arity ? elements : undefined
}

const entriesOf = (node: object, { keys }: R.Record): Children =>
  isPlainPrototype(Object.getPrototypeOf(node) as object | null) ? valuesOf(node, keys) : undefined

const partsOf = (node: object, record: R.Record): Children => {
  const prototype = Object.getPrototypeOf(node) as object | null
  if (prototype === Array.prototype || isPlainPrototype(prototype)) return undefined
  const type = nodeTypeOf(node)
  if (type === undefined || !R.sameType(record, type, prototype as object)) return undefined
  const { children, metadata } = type.flatten(node)
  return children.length === record.arity && R.sameMetadata(metadata, record.metadata) ? children : undefined
}

const nothing: ReadonlyArray<unknown> = []

/** The children of a node, if it is one as the record says. */
const childrenOf = (node: unknown, record: R.Record): Children => {
  if (record.kind === R.Null) return node === null || node === undefined ? nothing : undefined
  if (typeof node !== "object" || node === null) return undefined
  if (record.kind === R.Sequence) return elementsOf(node, record)
  return record.kind === R.Dict ? entriesOf(node, record) : partsOf(node, record)
}

/** Are all children of a node leaves? Then they need not wait on the stack. */
const holdsLeaves = (records: R.Records, at: number, { arity }: R.Record): boolean => {
  for (let i = at + 1; i <= at + arity; i++) if (records[i]!.kind !== R.Leaf) return false
  return true
}

/** The parts of a tree that lie at the leaves of a structure, or nothing when the tree does not have it. */
export const takeUpTo = (records: R.Records, tree: unknown): Array<unknown> | undefined => {
  const parts: Array<unknown> = []
  const stack: Array<unknown> = [tree]
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const node = stack.pop()
    if (record.kind === R.Leaf) {
      parts.push(node)
      continue
    }
    const children = childrenOf(node, record)
    if (children === undefined) return undefined
    if (holdsLeaves(records, i, record)) {
      for (const child of children) parts.push(child)
      i += record.arity
    } else for (let child = children.length - 1; child >= 0; child--) stack.push(children[child])
  }
  return parts
}
