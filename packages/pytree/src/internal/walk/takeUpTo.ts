/** Taking a tree apart along a given structure; what hangs below a leaf of the structure stays whole. */
import { isPlainPrototype } from "../nodes/plain.ts"
import * as R from "../structure/records.ts"
import { nodeTypeOf } from "../nodes/register.ts"

// trees that we made have their keys in order, and a comparison is ten times as fast as a question
const hasKeys = (node: object, keys: ReadonlyArray<string>): boolean => {
  const own = Object.keys(node)
  if (own.length !== keys.length) return false
  for (let i = 0; i < keys.length; i++) {
    if (own[i] !== keys[i] && !Object.prototype.propertyIsEnumerable.call(node, keys[i]!)) return false
  }
  return true
}

const pushElements = (stack: Array<unknown>, elements: ReadonlyArray<unknown>): void => {
  for (let i = elements.length - 1; i >= 0; i--) stack.push(elements[i])
}

const pushSequence = (stack: Array<unknown>, node: object, record: R.Record): boolean => {
  if (Object.getPrototypeOf(node) !== Array.prototype) return false
  const elements = node as ReadonlyArray<unknown>
  if (elements.length !== record.arity) return false
  pushElements(stack, elements)
  return true
}

const pushDict = (stack: Array<unknown>, node: object, { keys }: R.Record): boolean => {
  if (!isPlainPrototype(Object.getPrototypeOf(node) as object | null) || !hasKeys(node, keys)) return false
  for (let i = keys.length - 1; i >= 0; i--) stack.push((node as Record<string, unknown>)[keys[i]!])
  return true
}

const pushCustom = (stack: Array<unknown>, node: object, record: R.Record): boolean => {
  const prototype = Object.getPrototypeOf(node) as object | null
  if (prototype === Array.prototype || isPlainPrototype(prototype)) return false
  const type = nodeTypeOf(node)
  if (type === undefined || !R.sameType(record, type, prototype as object)) return false
  const { children, metadata } = type.flatten(node)
  if (children.length !== record.arity || !R.sameMetadata(metadata, record.metadata)) return false
  pushElements(stack, children)
  return true
}

const pushChildren = (stack: Array<unknown>, node: unknown, record: R.Record): boolean => {
  if (record.kind === R.Null) return node === null || node === undefined
  if (typeof node !== "object" || node === null) return false
  if (record.kind === R.Sequence) return pushSequence(stack, node, record)
  return record.kind === R.Dict ? pushDict(stack, node, record) : pushCustom(stack, node, record)
}

/** The parts of a tree that lie at the leaves of a structure, or nothing when the tree does not have it. */
export const takeUpTo = (records: R.Records, tree: unknown): Array<unknown> | undefined => {
  const parts: Array<unknown> = []
  const stack: Array<unknown> = [tree]
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const node = stack.pop()
    if (record.kind === R.Leaf) parts.push(node)
    else if (!pushChildren(stack, node, record)) return undefined
  }
  return parts
}
