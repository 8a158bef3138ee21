/**
 * The places of a tree that is saved or restored: at each leaf a tensor, a plain number, or a typed array.
 *
 * This is the one layer between trees and named tensors. A tensor is stored as it is; a number, a counter for example, is
 * an F64 of shape [], which holds every number exactly; a typed array is a vector. So all that a state consists of has a
 * name, a checksum, and a place in a safetensors file.
 */
import { InvalidLeaf } from "@optim/core/OptimError"
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import { specOf } from "../assemble.ts"
import type { Dtype } from "../dtypes.ts"
import { isTensor, pathsOf } from "../leaves.ts"
import * as Names from "../names.ts"

/** An array that can be a leaf. */
export type LeafArray = Float32Array | Float64Array | Int32Array | Uint8Array

/** A leaf. */
export type Leaf = Tensor | number | LeafArray

/** What stands at a leaf: a tensor, a number, or an array. */
type Form = "tensor" | "number" | "array"

/** A place that is to be saved or filled. */
export interface Slot {
  /** The name of its tensor in a file. */
  readonly name: string
  /** Where it is, in messages. */
  readonly path: string
  readonly form: Form
  readonly dtype: Dtype
  readonly shape: ReadonlyArray<number>
}

const tfjsDtypes: Readonly<Record<string, Dtype>> = { float32: "F32", int32: "I32", bool: "BOOL" }

const words: Partial<Record<Dtype, string>> = {
  F32: "float32",
  I32: "int32",
  BOOL: "bool",
  F64: "float64",
  U8: "uint8"
}

/** A dtype and shape in words; an F64 of shape [] is how a number is stored. */
export const describe = ({ dtype, shape }: { readonly dtype: Dtype; readonly shape: ReadonlyArray<number> }): string =>
  dtype === "F64" && shape.length === 0 ? "a number" : specOf({ dtype: words[dtype] ?? dtype, shape })

const arrayDtype = (array: LeafArray): Dtype => {
  if (array instanceof Float32Array) return "F32"
  if (array instanceof Float64Array) return "F64"
  return array instanceof Int32Array ? "I32" : "U8"
}

const isLeafArray = (value: unknown): value is LeafArray =>
  value instanceof Float32Array ||
  value instanceof Float64Array ||
  value instanceof Int32Array ||
  value instanceof Uint8Array

type Spec = Pick<Slot, "form" | "dtype" | "shape">

const numberSpec: Spec = { form: "number", dtype: "F64", shape: [] }

const specOfLeaf = (leaf: unknown): Spec | undefined => {
  if (typeof leaf === "number") return numberSpec
  if (isLeafArray(leaf)) return { form: "array", dtype: arrayDtype(leaf), shape: [leaf.length] }
  const dtype = isTensor(leaf) ? tfjsDtypes[leaf.dtype] : undefined
  return isTensor(leaf) && dtype !== undefined ? { form: "tensor", dtype, shape: leaf.shape } : undefined
}

const kindOf = (leaf: unknown): string => (isTensor(leaf) ? specOf(leaf) : typeof leaf)

const faultsOf = (leaves: ReadonlyArray<unknown>, paths: ReadonlyArray<string>) =>
  leaves.flatMap((leaf, index) => {
    const expected = "a float32, int32 or bool tensor, a number or a typed array"
    return specOfLeaf(leaf) === undefined ? [{ path: paths[index] ?? "", expected, found: kindOf(leaf) }] : []
  })

/** A tree taken apart: its leaves, and the slots that they stand in. */
export interface Flat {
  readonly treeDef: TreeDef.TreeDef
  readonly leaves: ReadonlyArray<Leaf>
  readonly slots: ReadonlyArray<Slot>
}

const isLeaf = (leaf: unknown): leaf is Leaf => specOfLeaf(leaf) !== undefined

/** The slots of leaves whose names and paths are given. */
const slotsOf = (
  leaves: ReadonlyArray<Leaf>,
  names: ReadonlyArray<string>,
  paths: ReadonlyArray<string>
): ReadonlyArray<Slot> =>
  leaves.flatMap((leaf, index) => {
    const spec = specOfLeaf(leaf)
    return spec === undefined ? [] : [{ name: names[index] ?? "", path: paths[index] ?? "", ...spec }]
  })

/** Takes a tree apart. Throws `InvalidLeaf`, which lists all leaves that cannot be saved, and what `PyTree.flatten` throws. */
export const flatten = (operation: string, tree: unknown): Flat => {
  const [all, treeDef] = PyTree.flatten<unknown>(tree)
  const paths = pathsOf(treeDef)
  const leaves = all.filter(isLeaf)
  if (leaves.length < all.length) throw new InvalidLeaf({ operation, faults: faultsOf(all, paths) })
  return { treeDef, leaves, slots: slotsOf(leaves, Names.ofTree(treeDef), paths) }
}

/** The dtype and shape of a tensor in core. */
export interface TensorSpec {
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
}

/** The slot of a leaf in a state: of a tensor, by its spec in core, or of a number. */
export const stateSlot = (spec: TensorSpec | number, place: Pick<Slot, "name" | "path">): Slot =>
  typeof spec === "number"
    ? { ...place, ...numberSpec }
    : { ...place, form: "tensor", dtype: tfjsDtypes[spec.dtype] ?? "F32", shape: spec.shape }

/** The numbers of a leaf that lies on the host; a copy. */
export const hostArray = (leaf: number | LeafArray): LeafArray =>
  typeof leaf === "number" ? Float64Array.of(leaf) : leaf.slice()
