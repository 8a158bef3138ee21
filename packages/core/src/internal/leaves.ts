/**
 * What users put at the leaves of a tree, checked and made into tensors.
 *
 * Every check looks at all leaves before it complains, so that one error names every leaf that is wrong.
 */
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { TensorSpec } from "../Expr.ts"
import { DisposedTensor, type Fault, InvalidLeaf, type BackendError, TensorMismatch } from "../OptimError.ts"
import { type HostTensor, Tensors } from "../Tensors.ts"
import { isTensor, isTypedArray } from "./tensorLike.ts"
import { printSpec } from "./trace/shape.ts"

/** Leaves that are tensors or can become one. */
export type TensorLike = Tensor | number | TypedArray

/** Is this a tensor, or can it become one? */
export const isTensorLike = (leaf: unknown): leaf is TensorLike =>
  typeof leaf === "number" || isTensor(leaf) || isTypedArray(leaf)

/** The key path of a leaf, printed. */
export const pathOf = (treeDef: TreeDef.TreeDef, index: number): string =>
  KeyPath.keystr(TreeDef.paths(treeDef)[index] ?? [])

/** How a leaf is named in messages. */
export const describeLeaf = (leaf: unknown): string => {
  if (typeof leaf === "number") return "float32 []"
  if (isTensor(leaf)) return `${leaf.dtype} [${leaf.shape.join(", ")}]`
  if (isTypedArray(leaf)) return `float32 [${leaf.length}]`
  return leaf === null ? "null" : typeof leaf
}

/** The shape that a leaf has as a tensor. */
export const shapeOfLeaf = (leaf: TensorLike): ReadonlyArray<number> =>
  typeof leaf === "number" ? [] : isTensor(leaf) ? leaf.shape : [leaf.length]

const isFloat = (leaf: TensorLike): boolean => !isTensor(leaf) || leaf.dtype === "float32"

const faults = (
  leaves: ReadonlyArray<unknown>,
  treeDef: TreeDef.TreeDef,
  expected: (leaf: unknown, index: number) => string | undefined
): ReadonlyArray<Fault> =>
  leaves.flatMap((leaf, index) => {
    const wanted = expected(leaf, index)
    return wanted === undefined ? [] : [{ path: pathOf(treeDef, index), expected: wanted, found: describeLeaf(leaf) }]
  })

/** Throws `DisposedTensor` if a tensor is gone. */
export const checkAlive = (
  operation: string,
  leaves: ReadonlyArray<unknown>,
  path: (index: number) => string
): void => {
  if (!leaves.some((leaf) => isTensor(leaf) && leaf.isDisposed)) return
  const gone = leaves.flatMap((leaf, index) => (isTensor(leaf) && leaf.isDisposed ? [path(index)] : []))
  throw new DisposedTensor({ operation, paths: gone })
}

/** Is this tensor of the dtype and shape? */
export const hasSpec = (tensor: Tensor, spec: TensorSpec | undefined): boolean => {
  if (spec === undefined || tensor.dtype !== spec.dtype) return false
  const { shape } = tensor
  if (shape.length !== spec.shape.length) return false
  for (let axis = 0; axis < shape.length; axis++) if (shape[axis] !== spec.shape[axis]) return false
  return true
}

/**
 * Are these nothing but living tensors of these specs? The quick check of every step; the others find out what is not.
 * Of those that stood at the same place among `met`, which passed it before, only whether they live is looked at.
 */
export const areTensors = (
  leaves: ReadonlyArray<unknown>,
  specs: ReadonlyArray<TensorSpec>,
  met: ReadonlyArray<Tensor>
): leaves is ReadonlyArray<Tensor> => {
  if (leaves.length !== specs.length) return false
  for (let index = 0; index < specs.length; index++) {
    const leaf = leaves[index]
    const known = met[index]
    if (known !== undefined && leaf === known ? known.isDisposed : !isTensorOf(leaf, specs[index])) return false
  }
  return true
}

const isTensorOf = (leaf: unknown, spec: TensorSpec | undefined): boolean =>
  isTensor(leaf) && !leaf.isDisposed && hasSpec(leaf, spec)

/** The leaves as what can become float32 tensors; throws `InvalidLeaf` or `DisposedTensor`. */
export const floatLeaves = (
  operation: string,
  leaves: ReadonlyArray<unknown>,
  treeDef: TreeDef.TreeDef
): ReadonlyArray<TensorLike> => {
  const valid = leaves.filter((leaf): leaf is TensorLike => isTensorLike(leaf) && isFloat(leaf))
  if (valid.length < leaves.length) {
    const wrong = faults(leaves, treeDef, (leaf) => (isTensorLike(leaf) && isFloat(leaf) ? undefined : "float32"))
    throw new InvalidLeaf({ operation, faults: wrong })
  }
  checkAlive(operation, valid, (index) => pathOf(treeDef, index))
  return valid
}

/** A tree taken apart. */
export interface Flat {
  readonly leaves: ReadonlyArray<TensorLike>
  readonly treeDef: TreeDef.TreeDef
}

/** A tree of what can become float32 tensors, taken apart; throws as `floatLeaves`. */
export const flatFloats = (operation: string, tree: unknown): Flat => {
  const [leaves, treeDef] = PyTree.flatten(tree)
  return { leaves: floatLeaves(operation, leaves, treeDef), treeDef }
}

const fits = (leaf: TensorLike, { shape }: TensorSpec): boolean => {
  const found = shapeOfLeaf(leaf)
  if (found.length !== shape.length) return false
  for (let axis = 0; axis < shape.length; axis++) if (found[axis] !== shape[axis]) return false
  return true
}

/** Throws `TensorMismatch` unless every leaf has the shape of its spec. */
export const checkShapes = (
  operation: string,
  leaves: ReadonlyArray<TensorLike>,
  specs: ReadonlyArray<TensorSpec>,
  treeDef: TreeDef.TreeDef,
  remedy: string
): void => {
  if (leaves.every((leaf, index) => fits(leaf, specs[index] ?? noSpec))) return
  const wrong = faults(leaves, treeDef, (leaf, index) =>
    isTensorLike(leaf) && fits(leaf, specs[index] ?? noSpec) ? undefined : printSpec(specs[index] ?? noSpec)
  )
  throw new TensorMismatch({ operation, faults: wrong, remedy })
}

const noSpec: TensorSpec = { shape: [], dtype: "float32" }

const hostTensor = (leaf: number | TypedArray): HostTensor =>
  typeof leaf === "number"
    ? { shape: [], data: Float32Array.of(leaf) }
    : { shape: [leaf.length], data: Float32Array.from(leaf) }

/**
 * Uses the leaves as tensors. Those that had to be made, of numbers and typed arrays, are disposed afterwards, whatever
 * happened.
 */
export const withTensors = <A, E, R>(
  leaves: ReadonlyArray<TensorLike>,
  use: (tensors: ReadonlyArray<Tensor>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | BackendError, R | Tensors> =>
  leaves.every((leaf): leaf is Tensor => isTensor(leaf)) ? use(leaves) : promoted(leaves, use)

const promoted = Effect.fnUntraced(function* <A, E, R>(
  leaves: ReadonlyArray<TensorLike>,
  use: (tensors: ReadonlyArray<Tensor>) => Effect.Effect<A, E, R>
): Effect.fn.Return<A, E | BackendError, R | Tensors> {
  const { make } = yield* Tensors
  const made: Array<Tensor> = []
  const toTensor = (leaf: TensorLike) =>
    isTensor(leaf)
      ? Effect.succeed(leaf)
      : Effect.tap(make(hostTensor(leaf)), (tensor) => Effect.sync(() => made.push(tensor)))
  return yield* Effect.forEach(leaves, toTensor).pipe(
    Effect.flatMap(use),
    Effect.ensuring(Effect.sync(() => disposeAll(made)))
  )
})

/** The same in plain code, at once. */
export const withTensorsUnsafe = <A>(
  { makeUnsafe }: Tensors["Service"],
  leaves: ReadonlyArray<TensorLike>,
  use: (tensors: ReadonlyArray<Tensor>) => A
): A => {
  if (leaves.every((leaf): leaf is Tensor => isTensor(leaf))) return use(leaves)
  const made: Array<Tensor> = []
  const toTensor = (leaf: TensorLike): Tensor => {
    if (isTensor(leaf)) return leaf
    const tensor = makeUnsafe(hostTensor(leaf))
    made.push(tensor)
    return tensor
  }
  try {
    return use(leaves.map(toTensor))
  } finally {
    disposeAll(made)
  }
}

/** Disposes tensors that are still alive. */
export const disposeAll = (tensors: ReadonlyArray<Tensor>): void => {
  for (const tensor of tensors) if (!tensor.isDisposed) tensor.dispose()
}
