/** Paths of the nodes of a structure. */
import { DictKey, FlattenedIndexKey, type Key, type KeyPath, SequenceKey } from "../../KeyPath.ts"
import { Custom, Dict, Leaf, type Record, type Records } from "./records.ts"

/** The key of a node's child. */
export const childKey = (record: Record, index: number): Key => {
  if (record.kind === Dict) return DictKey(record.keys[index]!)
  if (record.kind === Custom) return record.attributes?.[index] ?? FlattenedIndexKey(index)
  return SequenceKey(index)
}

/** The path of every leaf, in the order of the leaves. */
export const leafPaths = (records: Records): ReadonlyArray<KeyPath> => {
  const paths: Array<KeyPath> = []
  const open: Array<{ readonly record: Record; index: number }> = []
  const path: Array<Key> = []
  for (const record of records) {
    const parent = open.at(-1)
    if (parent !== undefined) path[open.length - 1] = childKey(parent.record, parent.index++)
    if (record.kind === Leaf) paths.push(path.slice(0, open.length))
    if (record.arity > 0) open.push({ record, index: 0 })
    while (open.length > 0 && open.at(-1)!.index === open.at(-1)!.record.arity) open.pop()
  }
  return paths
}
