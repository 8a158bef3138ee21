/**
 * Which stored tensor goes to which slot, and everything that does not fit.
 */
import type { Fault } from "../show.ts"
import type { Dtype } from "../dtypes.ts"
import type { TensorRecord } from "../manager/manifest.ts"
import { describe, type Slot } from "./slots.ts"

/** A leaf, as predicates and renames see it. */
export interface LeafKey {
  /** The item that it belongs to. */
  readonly item: string
  /** The name of its tensor: `layers.0.w`, `layers.0.w/m`. */
  readonly name: string
  /** Its key path, as in messages. */
  readonly path: string
}

/** How strictly a checkpoint must fit; by default, entirely. */
export interface FitOptions {
  /** The leaves to restore; others keep what they have. Default: all. */
  readonly only?: ((leaf: LeafKey) => boolean) | undefined
  /** What a leaf was called when it was saved, by its name of today. */
  readonly rename?: Readonly<Record<string, string>> | ((leaf: LeafKey) => string) | undefined
  /** May a number be converted: F16, BF16, F64 and int32 to float32, say? Default `"strict"`: no. */
  readonly dtype?: "strict" | "convert" | undefined
  /** May a tensor take another shape with as many elements? Default `"strict"`: no. */
  readonly shape?: "strict" | "reshape" | undefined
  /** Leaves that were not saved: a fault, or they keep what they have. Default `"fail"`. */
  readonly missing?: "fail" | "keep" | undefined
  /** Tensors that were saved and have no place: a fault, or they are left out. Default `"fail"`. */
  readonly unexpected?: "fail" | "ignore" | undefined
}

/** What is to be done. */
export interface Assignment {
  /** Slot by slot, the tensor that goes there; nothing where the slot keeps what it has. */
  readonly sources: ReadonlyArray<TensorRecord | undefined>
  readonly faults: ReadonlyArray<Fault>
}

/** What becomes what, if it may be converted. */
const conversions: Partial<Record<Dtype, ReadonlyArray<Dtype>>> = {
  F32: ["F16", "BF16", "F64", "I32"],
  F64: ["F32", "F16", "BF16", "I32"]
}

const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, length) => product * length, 1)

const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis])

const fits = (slot: Slot, record: TensorRecord, { dtype, shape }: FitOptions): boolean => {
  const isConverted = dtype === "convert" && (conversions[slot.dtype] ?? []).includes(record.dtype)
  const isReshaped = shape === "reshape" && size(slot.shape) === size(record.shape)
  return (slot.dtype === record.dtype || isConverted) && (sameShape(slot.shape, record.shape) || isReshaped)
}

/** Does anything but the whole do? */
export const isPartial = ({ missing, only, unexpected }: FitOptions): boolean =>
  only !== undefined || missing === "keep" || unexpected === "ignore"

const storedName = (leaf: LeafKey, { rename }: FitOptions): string => {
  if (typeof rename === "function") return rename(leaf)
  return rename !== undefined && Object.hasOwn(rename, leaf.name) ? (rename[leaf.name] ?? leaf.name) : leaf.name
}

/** Finds each slot its tensor. Paths in faults begin with the item's name. */
export const assign = (
  item: string,
  slots: ReadonlyArray<Slot>,
  records: ReadonlyArray<TensorRecord>,
  options: FitOptions
): Assignment => {
  const { missing = "fail", only = () => true, unexpected = "fail" } = options
  const left = new Map(records.map((record) => [record.name, record]))
  const byName = new Map(left)
  const faults: Array<Fault> = []
  const sources = slots.map((slot) => {
    const leaf = { item, name: slot.name, path: slot.path }
    if (!only(leaf)) return undefined
    const name = storedName(leaf, options)
    const record = byName.get(name)
    left.delete(name)
    const isWrong = record === undefined ? missing === "fail" : !fits(slot, record, options)
    const found = record === undefined ? "nothing" : describe(record)
    if (isWrong) faults.push({ path: `${item}${slot.path}`, expected: describe(slot), found })
    return record
  })
  const surplus = [...left.values()].filter(({ name, path }) => unexpected === "fail" && only({ item, name, path }))
  for (const record of surplus) {
    faults.push({ path: `${item}${record.path}`, expected: "nothing", found: describe(record) })
  }
  return { sources, faults }
}
