/**
 * The tensors of a document and their names: named when they are written, found by name when they are read.
 */
import type { HostTensor } from "@optim/core/Tensors"
import * as Safetensors from "../Safetensors.ts"
import { InvalidBool, InvalidCheckpoint, UnencodableCheckpoint, UnsupportedDtype } from "../SerializeError.ts"
import { bytesOf, elementsOf } from "./bytes.ts"
import { type Fault, quoted, shape as showShape } from "./show.ts"

/** A number is an F64 of shape [], which holds every number exactly. */
const numberEntry = (name: string, number: number): Safetensors.Entry => ({
  name,
  dtype: "F64",
  shape: [],
  bytes: bytesOf(Float64Array.of(number), 8)
})

/** The tensor or the number in an entry. Throws as `Safetensors.toHost` does. */
export const leafOf = (entry: Safetensors.Entry): HostTensor | number =>
  entry.dtype === "F64" && entry.shape.length === 0
    ? (elementsOf(Float64Array, entry.bytes)[0] ?? Number.NaN)
    : Safetensors.toHost(entry)

const tensorCount = (leaves: ReadonlyArray<HostTensor | number>): number =>
  leaves.filter((leaf) => typeof leaf !== "number").length

/** An entry for each of these leaves. Throws `UnencodableCheckpoint` unless there is one leaf for each name. */
export const entriesOf = (
  operation: string,
  names: ReadonlyArray<string>,
  leaves: ReadonlyArray<HostTensor | number>
): ReadonlyArray<Safetensors.Entry> => {
  if (leaves.length !== names.length) {
    const found = tensorCount(leaves)
    const expected = `${found + names.length - leaves.length} tensors`
    throw new UnencodableCheckpoint({ operation, faults: [{ path: "leaves", expected, found: String(found) }] })
  }
  return leaves.map((leaf, index) => {
    const name = names[index] ?? ""
    return typeof leaf === "number" ? numberEntry(name, leaf) : Safetensors.fromHost(name, leaf)
  })
}

/** Names may take this much room beyond those that are there, so that a file of another structure still gets a list. */
const roomForOthers = 1 << 20

/** Throws `InvalidCheckpoint` if the names of a structure are out of all proportion to the names in the file. */
export const checkBudget = (operation: string, length: number, entries: ReadonlyArray<Safetensors.Entry>): void => {
  const present = entries.reduce((sum, { name }) => sum + name.length, 0)
  if (length <= present + roomForOthers) return
  const fault = { path: "manifest.tree", expected: `the names of ${entries.length} tensors`, found: "far more text" }
  throw new InvalidCheckpoint({ operation, faults: [fault] })
}

/** What a tensor is called in messages. */
export const specOf = ({ dtype, shape }: { readonly dtype: string; readonly shape: ReadonlyArray<number> }): string =>
  `${dtype} ${showShape(shape)}`

const unreadable = (entry: Safetensors.Entry, error: unknown): Fault => {
  const path = quoted(entry.name)
  if (error instanceof UnsupportedDtype) return { path, expected: error.supported.join(", "), found: specOf(entry) }
  if (error instanceof InvalidBool) {
    return { path, expected: "bools of 0 and 1", found: `${error.value} at element ${error.index}` }
  }
  throw error
}

/** What is under these names, each made from its entry; the first fault of each is listed. Throws `InvalidCheckpoint`. */
export const named = <A>(
  operation: string,
  names: ReadonlyArray<string>,
  entries: ReadonlyArray<Safetensors.Entry>,
  make: (entry: Safetensors.Entry, index: number) => A
): ReadonlyArray<A> => {
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const faults: Array<Fault> = []
  const made = names.flatMap((name, index) => {
    const entry = byName.get(name)
    byName.delete(name)
    if (entry === undefined) {
      faults.push({ path: quoted(name), expected: "a tensor", found: "nothing" })
      return []
    }
    try {
      return [make(entry, index)]
    } catch (error) {
      faults.push(unreadable(entry, error))
      return []
    }
  })
  for (const entry of byName.values())
    faults.push({ path: quoted(entry.name), expected: "nothing", found: specOf(entry) })
  if (faults.length > 0) throw new InvalidCheckpoint({ operation, faults })
  return made
}
