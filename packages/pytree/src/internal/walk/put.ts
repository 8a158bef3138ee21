/** Putting trees together: the structure is read backwards, so that children are ready before their node. */
import { markTable, setOwn } from "../nodes/plain.ts"
import * as R from "../structure/records.ts"

/** Takes the children of a node off the stack; the first child lies on top. */
const popChildren = (stack: Array<unknown>, arity: number): Array<unknown> => {
  const children: Array<unknown> = []
  for (let i = 0; i < arity; i++) children.push(stack.pop())
  return children
}

const popEntries = (stack: Array<unknown>, keys: ReadonlyArray<string>): object => {
  const entries: Record<string, unknown> = {}
  for (const key of keys) {
    const value = stack.pop()
    // assigning to this key would set the prototype
    if (key === "__proto__") setOwn(entries, key, value)
    else entries[key] = value
  }
  markTable(entries, keys)
  return entries
}

const popNode = (stack: Array<unknown>, record: R.Record): unknown => {
  switch (record.kind) {
    case R.Dict:
      return popEntries(stack, record.keys)
    case R.Custom:
      return record.type!.unflatten(record.metadata, popChildren(stack, record.arity))
    case R.Sequence:
      return popChildren(stack, record.arity)
    default:
      return null
  }
}

/** The tree with this structure and these leaves, which must be as many as the structure has. */
export const put = (records: R.Records, leaves: ArrayLike<unknown>): unknown => {
  const stack: Array<unknown> = []
  let rest = leaves.length
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]!
    stack.push(record.kind === R.Leaf ? leaves[--rest] : popNode(stack, record))
  }
  return stack[0]
}
