/**
 * How the tensors of an item are divided into files: in the order of the layout, a new file when the next tensor would
 * make one larger than the limit. A tensor is never divided.
 */
import type * as Safetensors from "../../Safetensors.ts"
import { inFileOrder } from "../headerWriter.ts"

/** A tensor and its path. */
export interface PathEntry {
  readonly path: string
  readonly entry: Safetensors.Entry
}

/** A file and its tensors, in the order in which it holds them. */
export interface Shard {
  readonly name: string
  readonly tensors: ReadonlyArray<PathEntry>
}

const divided = (tensors: ReadonlyArray<PathEntry>, limit: number): ReadonlyArray<ReadonlyArray<PathEntry>> => {
  const groups: Array<Array<PathEntry>> = []
  let size = 0
  for (const tensor of tensors.toSorted((a, b) => inFileOrder(a.entry, b.entry))) {
    const { length } = tensor.entry.bytes
    if (groups.length === 0 || size + length > limit) {
      groups.push([])
      size = 0
    }
    groups.at(-1)?.push(tensor)
    size += length
  }
  return groups
}

const numbered = (index: number): string => String(index).padStart(5, "0")

/** The files of an item: `params.safetensors`, or `params-00001-of-00002.safetensors` and so on. */
export const shardsOf = (item: string, tensors: ReadonlyArray<PathEntry>, limit: number): ReadonlyArray<Shard> => {
  const groups = divided(tensors, limit)
  if (groups.length === 1) return groups.map((group) => ({ name: `${item}.safetensors`, tensors: group }))
  const total = numbered(groups.length)
  return groups.map((group, index) => ({
    name: `${item}-${numbered(index + 1)}-of-${total}.safetensors`,
    tensors: group
  }))
}

/** The index of files in the form that other readers know: which tensor is in which file. Nothing for a single file. */
export const indexOf = (shards: ReadonlyArray<Shard>): string | undefined => {
  if (shards.length < 2) return undefined
  const entries = shards.flatMap(({ name, tensors }) => tensors.map(({ entry }) => [entry.name, name] as const))
  const total = shards.reduce(
    (sum, { tensors }) => sum + tensors.reduce((n, { entry }) => n + entry.bytes.length, 0),
    0
  )
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(entries) }
  return `${JSON.stringify(index, undefined, 2)}\n`
}
