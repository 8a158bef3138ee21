/**
 * The rate of an optimizer whose hyper-parameters are state: the one that its latest update took.
 */
import { KeyPath, TreeDef } from "@optim/pytree"
import { type Held, ownHeld } from "../optimizer/held.ts"

const isRate = (path: KeyPath.KeyPath): boolean =>
  KeyPath.keystr(path.slice(-2), { simple: true, separator: "." }) === "hyperparams.learningRate"

const places = new WeakMap<TreeDef.TreeDef, number>()

/** Where in a state the rate stands, or −1; states of one run share their structure. */
const placeIn = (treeDef: TreeDef.TreeDef): number => {
  const place = places.get(treeDef) ?? TreeDef.paths(treeDef).findIndex(isRate)
  places.set(treeDef, place)
  return place
}

/** The number `hyperparams.learningRate` of a state, if it has one. */
export const injectedRate = ({ [ownHeld]: held }: { readonly [ownHeld]: Held | undefined }): number | undefined =>
  held?.numbers[placeIn(held.treeDef)]
