/**
 * The entries of a state: whatever stands in it under a name, at any depth.
 *
 * A name is the key of a field, or of a leaf of the parameters where a state holds trees of their structure. In the state
 * of an optimizer the names are those of its transform.
 */
import { KeyPath, PyTree } from "@optim/pytree"
import { isOptimizerState } from "../../OptimizerState.ts"
import { checkNotDonated } from "../optimizer/donation.ts"
import { isShown } from "../optimizer/handles.ts"
import { heldTree } from "../optimizer/held.ts"
import { isTensor } from "../tensorLike.ts"

/** Chooses among entries of one name. */
export type Filtering = (path: KeyPath.KeyPath, value: unknown) => boolean

/** Something that stands under a name. */
export type Entry<A = unknown> = readonly [path: KeyPath.KeyPath, value: A]

/** The name at the end of a path, if it ends with one. */
export const nameAt = (path: KeyPath.KeyPath): string | undefined => {
  const last = path.at(-1)
  if (last?._tag === "DictKey") return last.key
  return last?._tag === "GetAttrKey" ? last.name : undefined
}

/** Every entry of a tree whose name is wanted, those within others too, left to right. */
const entriesOf = (tree: unknown, isWanted: (name: string) => boolean): ReadonlyArray<Entry> => {
  const found: Array<Entry> = []
  const visit = (value: unknown, path: KeyPath.KeyPath): boolean => {
    const name = nameAt(path)
    if (name !== undefined && isWanted(name)) found.push([path, value])
    return false
  }
  PyTree.flattenWithPath(tree, { isLeaf: visit })
  return found
}

const holdsTensors = (entries: ReadonlyArray<Entry>): boolean =>
  PyTree.leaves(entries.map(([, value]) => value)).some((leaf: unknown) => isTensor(leaf))

/**
 * Every entry of a state whose name is wanted. Throws `DonatedStateUsed` for a state that was given away.
 *
 * Of an optimizer's state only its transform is looked at, and who sees nothing but numbers holds no handles of it.
 */
export const entries = (
  operation: string,
  state: unknown,
  isWanted: (name: string) => boolean
): ReadonlyArray<Entry> => {
  if (!isOptimizerState(state)) return entriesOf(state, isWanted)
  checkNotDonated(operation, state)
  const field = KeyPath.GetAttrKey("transform")
  const found = entriesOf(heldTree(state), isWanted).map(([path, value]): Entry => [[field, ...path], value])
  if (holdsTensors(found)) state[isShown] = true
  return found
}
