/**
 * The tensors of a document and their names: named when they are written, found by name when they are read.
 */
import type { HostTensor } from "@optim/core/Tensors"
import * as Safetensors from "../Safetensors.ts"
import { InvalidBool, InvalidCheckpoint, UnencodableCheckpoint, UnsupportedDtype } from "../SerializeError.ts"
import { type Fault, quoted, shape as showShape } from "./show.ts"

/** An entry for each of these tensors. Throws `UnencodableCheckpoint` unless there is one tensor for each name. */
export const entriesOf = (
  operation: string,
  names: ReadonlyArray<string>,
  leaves: ReadonlyArray<HostTensor>
): ReadonlyArray<Safetensors.Entry> => {
  if (leaves.length !== names.length) {
    const fault = { path: "leaves", expected: `${names.length} tensors`, found: String(leaves.length) }
    throw new UnencodableCheckpoint({ operation, faults: [fault] })
  }
  return leaves.map((leaf, index) => Safetensors.fromHost(names[index] ?? "", leaf))
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

/** The tensors under these names, each made from its entry; the first fault of each is listed. Throws `InvalidCheckpoint`. */
export const tensorsNamed = (
  operation: string,
  names: ReadonlyArray<string>,
  entries: ReadonlyArray<Safetensors.Entry>,
  toHost: (entry: Safetensors.Entry) => HostTensor = Safetensors.toHost
): ReadonlyArray<HostTensor> => {
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const faults: Array<Fault> = []
  const tensors = names.flatMap((name) => {
    const entry = byName.get(name)
    byName.delete(name)
    if (entry === undefined) {
      faults.push({ path: quoted(name), expected: "a tensor", found: "nothing" })
      return []
    }
    try {
      return [toHost(entry)]
    } catch (error) {
      faults.push(unreadable(entry, error))
      return []
    }
  })
  for (const entry of byName.values())
    faults.push({ path: quoted(entry.name), expected: "nothing", found: specOf(entry) })
  if (faults.length > 0) throw new InvalidCheckpoint({ operation, faults })
  return tensors
}
