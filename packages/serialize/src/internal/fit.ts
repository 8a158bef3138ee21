/**
 * Every way in which what a file holds differs from what is called for.
 */
import type { HostTensor } from "@optim/core/Tensors"
import type { TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import { specOf } from "./assemble.ts"
import * as Names from "./names.ts"
import type { Fault } from "./show.ts"

/** A tensor: its place, its dtype and shape in words. */
export interface Slot extends Names.Place {
  readonly spec: string
}

/** Missing tensors and tensors of another shape or dtype in the order called for, then those that are too many. */
export const differences = (expected: ReadonlyArray<Slot>, found: ReadonlyArray<Slot>): ReadonlyArray<Fault> => {
  const left = new Map(found.map((slot) => [slot.key, slot]))
  const unfit = expected.flatMap(({ key, path, spec }) => {
    const held = left.get(key)
    left.delete(key)
    return held?.spec === spec ? [] : [{ path, expected: spec, found: held?.spec ?? "nothing" }]
  })
  return [...unfit, ...[...left.values()].map(({ path, spec }) => ({ path, expected: "nothing", found: spec }))]
}

/** The dtype and shape of numbers on the host, in words. */
export const hostSpec = ({ data, shape }: HostTensor): string => {
  if (data instanceof Float32Array) return specOf({ dtype: "float32", shape })
  return specOf({ dtype: data instanceof Int32Array ? "int32" : "bool", shape })
}

/** What makes two states of optimizers fit: the optimizer's name, the structures, dtype and shape of each tensor. */
export interface Layout {
  readonly optimizer: string
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
  readonly specs: ReadonlyArray<string>
}

const slots = ({ specs, subtreeDefs, treeDef }: Layout): ReadonlyArray<Slot> =>
  Names.placesOfState(treeDef, subtreeDefs).map((place, index) => ({ ...place, spec: specs[index] ?? "" }))

const structures = ({ subtreeDefs, treeDef }: Layout): string =>
  [...new Set([treeDef, ...subtreeDefs].map(String))].join(", ")

const sameStructure = (a: Layout, b: Layout): boolean =>
  Equal.equals(a.treeDef, b.treeDef) && Equal.equals(a.subtreeDefs, b.subtreeDefs)

/** All differences of two layouts; structures are named only where no tensor shows the difference. */
export const misfits = (expected: Layout, found: Layout): ReadonlyArray<Fault> => {
  const names =
    expected.optimizer === found.optimizer
      ? []
      : [{ path: "optimizer", expected: expected.optimizer, found: found.optimizer }]
  const tensors = differences(slots(expected), slots(found))
  if (tensors.length > 0 || sameStructure(expected, found)) return [...names, ...tensors]
  return [...names, { path: "structure", expected: structures(expected), found: structures(found) }]
}
