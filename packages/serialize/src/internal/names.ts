/**
 * The names of tensors in a file.
 *
 * The keys of the path with dots between them, as other frameworks name parameters: `layers.0.w`. A slot of an optimizer
 * follows behind a slash: `layers.0.w/m`; what a transform remembers stands behind the parameters, under its path in the
 * transform's state: `transform/1.mu.layers.0.w`. Names are a function of the structure alone, so a reader finds them
 * again; where two paths would have the same name (`{ "a.b": …, a: { b: … } }`), the later one is marked with its position.
 */
import { KeyPath, TreeDef } from "@optim/pytree"
import type { Structure } from "./stateLeaves.ts"

const simple = (path: KeyPath.KeyPath): string =>
  KeyPath.keystr(path, { simple: true, separator: "." }).replaceAll(/\p{Surrogate}/gu, "\ufffd")

/** The name of a tensor that is a whole tree. */
const rootName = "value"

/** What stands before the names of what a transform remembers. */
export const transformName = "transform"

const reserved = ["", "__metadata__", "__proto__"]

const join = (outer: string, inner: string): string =>
  outer === "" || inner === "" ? outer + inner : `${outer}/${inner}`

const distinct = (candidates: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set(reserved)
  return candidates.map((candidate, index) => {
    let name = candidate === "" ? rootName : candidate
    while (taken.has(name)) name = `${name}#${index}`
    taken.add(name)
    return name
  })
}

/** The names of the leaves of a tree. */
export const ofTree = (treeDef: TreeDef.TreeDef): ReadonlyArray<string> => distinct(TreeDef.paths(treeDef).map(simple))

const rememberedPaths = ({ transform }: Structure): ReadonlyArray<KeyPath.KeyPath> =>
  transform === undefined ? [] : TreeDef.paths(transform.treeDef)

/** The names of the leaves of an optimizer state: leaf by leaf, slot by slot, then what a transform remembers. */
export const ofState = (structure: Structure): ReadonlyArray<string> => {
  const { subtreeDefs, treeDef } = structure
  const outer = TreeDef.paths(treeDef).map(simple)
  return distinct([
    ...subtreeDefs.flatMap((def, index) => TreeDef.paths(def).map((path) => join(outer[index] ?? "", simple(path)))),
    ...rememberedPaths(structure).map((path) => join(transformName, simple(path)))
  ])
}

/** Where a leaf of an optimizer state is: `key` tells it from all others, `path` stands in messages. */
export interface Place {
  readonly key: string
  readonly path: string
}

const rememberedPlace = (path: KeyPath.KeyPath): Place => {
  const key = KeyPath.keystr([KeyPath.GetAttrKey(transformName), ...path])
  return { key, path: key }
}

const place = (leaf: KeyPath.KeyPath, slot: KeyPath.KeyPath): Place => {
  const outer = KeyPath.keystr(leaf)
  const key = `${outer} ${KeyPath.keystr(slot)}`
  return { key, path: slot.length === 0 ? outer : `${outer === "" ? "(root)" : outer} slot ${simple(slot)}` }
}

/**
 * The places of the leaves of an optimizer state, with paths like `['layers'][0].w slot m`, and `.transform[1]['count']`
 * for what a transform remembers.
 */
export const placesOfState = (structure: Structure): ReadonlyArray<Place> => {
  const { subtreeDefs, treeDef } = structure
  const outer = TreeDef.paths(treeDef)
  return [
    ...subtreeDefs.flatMap((def, index) => TreeDef.paths(def).map((slot) => place(outer[index] ?? [], slot))),
    ...rememberedPaths(structure).map(rememberedPlace)
  ]
}
