/**
 * Every way in which what a file holds differs from what is called for.
 */
import type { HostTensor } from "@optim/core/Tensors"
import * as Equal from "effect/Equal"
import { specOf } from "./assemble.ts"
import * as Names from "./names.ts"
import type { Fault } from "./show.ts"
import type { Structure } from "./stateLeaves.ts"

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

/** What stands at a leaf of a state, in words. */
export const leafSpec = <A>(leaf: A | number, tensorSpec: (tensor: A) => string): string =>
  typeof leaf === "number" ? "a number" : tensorSpec(leaf)

/** What makes two states of optimizers fit: the optimizer's name, the structures, what stands at each leaf. */
export interface Layout extends Structure {
  readonly optimizer: string
  /** In words: dtype and shape of a tensor, or that it is a number. */
  readonly specs: ReadonlyArray<string>
}

const slots = (layout: Layout): ReadonlyArray<Slot> =>
  Names.placesOfState(layout).map((place, index) => ({ ...place, spec: layout.specs[index] ?? "" }))

const allDefs = ({ subtreeDefs, transform, treeDef }: Layout) => [
  treeDef,
  ...subtreeDefs,
  ...(transform === undefined ? [] : [transform.treeDef])
]

const structures = (layout: Layout): string => [...new Set(allDefs(layout).map(String))].join(", ")

const sameStructure = (a: Layout, b: Layout): boolean => Equal.equals(allDefs(a), allDefs(b))

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
