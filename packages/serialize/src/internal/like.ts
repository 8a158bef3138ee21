/**
 * Documents of parameters, read into a tree: the one that the document names itself, or one that is given.
 */
import type { HostTensor } from "@optim/core/Tensors"
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Equal from "effect/Equal"
import * as Safetensors from "../Safetensors.ts"
import { CheckpointMismatch } from "../SerializeError.ts"
import { checkBudget, named, specOf } from "./assemble.ts"
import type { Unchecked } from "./document.ts"
import { differences, type Slot } from "./fit.ts"
import { likeSpec, pathsOf, tensorLikes } from "./leaves.ts"
import * as Manifest from "./manifest.ts"
import * as Names from "./names.ts"
import { quoted } from "./show.ts"

/** A tree and its tensors on the host. */
export interface HostTree {
  readonly treeDef: TreeDef.TreeDef
  readonly leaves: ReadonlyArray<HostTensor>
}

/** A tree taken apart, all leaves as tensors. Throws `InvalidLeaf`, and what `PyTree.flatten` throws. */
export const flatten = (operation: string, tree: unknown) => {
  const [leaves, treeDef] = PyTree.flatten<unknown>(tree)
  return { treeDef, leaves: tensorLikes(operation, leaves, treeDef) }
}

const structureIn = (operation: string, { entries, manifest }: Unchecked): TreeDef.TreeDef => {
  const { nameLength, treeDef } = Manifest.decodeParams(operation, manifest)
  checkBudget(operation, nameLength, entries)
  return treeDef
}

/** The document in the structure that it names itself. Throws `InvalidCheckpoint`. */
export const inItsOwn = (operation: string, document: Unchecked): HostTree => {
  const treeDef = structureIn(operation, document)
  return { treeDef, leaves: named(operation, Names.ofTree(treeDef), document.entries, Safetensors.toHost) }
}

const tfjsDtypes: Partial<Record<Safetensors.Dtype, string>> = { F32: "float32", I32: "int32", BOOL: "bool" }

const floats: ReadonlySet<Safetensors.Dtype> = new Set(["F16", "BF16", "F64"])

const held = (entries: ReadonlyArray<Safetensors.Entry>, convertFloats: boolean): ReadonlyArray<Slot> =>
  entries.map(({ dtype, name, shape }) => {
    const read = convertFloats && floats.has(dtype) ? "float32" : (tfjsDtypes[dtype] ?? dtype)
    return { key: name, path: quoted(name), spec: specOf({ dtype: read, shape }) }
  })

const wanted = (leaves: ReadonlyArray<Tensor | HostTensor>, treeDef: TreeDef.TreeDef): ReadonlyArray<Slot> => {
  const names = Names.ofTree(treeDef)
  const paths = pathsOf(treeDef)
  return leaves.map((leaf, index) => ({ key: names[index] ?? "", path: paths[index] ?? "", spec: likeSpec(leaf) }))
}

const convert = (entry: Safetensors.Entry): HostTensor =>
  floats.has(entry.dtype) ? Safetensors.toFloat32(entry) : Safetensors.toHost(entry)

const checkStructure = (operation: string, treeDef: TreeDef.TreeDef, document: Unchecked): void => {
  if (document.manifest === undefined) return
  const found = structureIn(operation, document)
  if (Equal.equals(found, treeDef)) return
  const fault = { path: "structure", expected: String(treeDef), found: String(found) }
  throw new CheckpointMismatch({ operation, faults: [fault] })
}

/** The document in the structure of `like`. Throws `CheckpointMismatch`, `InvalidCheckpoint`, and what `flatten` throws. */
export const inThatOf = (
  operation: string,
  document: Unchecked,
  { convertFloats = false, like }: { readonly like: unknown; readonly convertFloats?: boolean | undefined }
): HostTree => {
  const { leaves, treeDef } = flatten(operation, like)
  const faults = differences(wanted(leaves, treeDef), held(document.entries, convertFloats))
  if (faults.length > 0) throw new CheckpointMismatch({ operation, faults })
  checkStructure(operation, treeDef, document)
  const toHost = convertFloats ? convert : Safetensors.toHost
  return { treeDef, leaves: named(operation, Names.ofTree(treeDef), document.entries, toHost) }
}
