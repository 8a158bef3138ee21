/**
 * What may stand at the leaves of a tree of parameters: tensors, and numbers and typed arrays, which become float32.
 */
import { InvalidLeaf } from "@optim/core/OptimError"
import type { HostTensor } from "@optim/core/Tensors"
import { KeyPath, TreeDef } from "@optim/pytree"
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import { specOf } from "./assemble.ts"
import { hostSpec } from "./fit.ts"

/** A tensor of tfjs, from whatever copy of it. */
export const isTensor = (value: unknown): value is Tensor =>
  hasProperty(value, "dataId") && hasProperty(value, "shape") && hasProperty(value, "isDisposed")

const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array)

/** A leaf as a tensor, on the device or on the host; nothing for what cannot be one. */
const tensorLike = (leaf: unknown): Tensor | HostTensor | undefined => {
  if (isTensor(leaf)) return leaf
  if (typeof leaf === "number") return { shape: [], data: Float32Array.of(leaf) }
  return isTypedArray(leaf) ? { shape: [leaf.length], data: Float32Array.from(leaf) } : undefined
}

/** The paths of a tree's leaves in messages. */
export const pathsOf = (treeDef: TreeDef.TreeDef): ReadonlyArray<string> =>
  TreeDef.paths(treeDef).map((path) => KeyPath.keystr(path))

/** All leaves as tensors. Throws `InvalidLeaf`, which lists every leaf that cannot be one. */
export const tensorLikes = (
  operation: string,
  leaves: ReadonlyArray<unknown>,
  treeDef: TreeDef.TreeDef
): ReadonlyArray<Tensor | HostTensor> => {
  const likes = leaves.map(tensorLike)
  const valid = likes.filter((like) => like !== undefined)
  if (valid.length === likes.length) return valid
  const paths = pathsOf(treeDef)
  const faults = likes.flatMap((like, index) =>
    like === undefined ? [{ path: paths[index] ?? "", expected: "a tensor", found: typeof leaves[index] }] : []
  )
  throw new InvalidLeaf({ operation, faults })
}

/** The dtype and shape of a leaf, in words. */
export const likeSpec = (like: Tensor | HostTensor): string => (isTensor(like) ? specOf(like) : hostSpec(like))
