/** Trees whose leaves have any dtype. */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { DType, TensorSpec } from "../../Expr.ts"
import { InvalidLeaf } from "../../OptimError.ts"
import { checkAlive, describeLeaf, isTensorLike, pathOf, shapeOfLeaf, type TensorLike } from "../leaves.ts"
import { isDType } from "../optimizer/layout.ts"
import { isTensor } from "../tensorLike.ts"
import type { Taken } from "./onTrees.ts"

const dtypeOf = (leaf: TensorLike): DType | undefined => {
  if (!isTensor(leaf)) return "float32"
  return isDType(leaf.dtype) ? leaf.dtype : undefined
}

const isUsable = (leaf: unknown): leaf is TensorLike => isTensorLike(leaf) && dtypeOf(leaf) !== undefined

/** The leaves as what can become tensors, of float32, int32 or bool; throws `InvalidLeaf` or `DisposedTensor`. */
export const tensorLeaves = (
  operation: string,
  leaves: ReadonlyArray<unknown>,
  treeDef: TreeDef.TreeDef
): ReadonlyArray<TensorLike> => {
  const valid = leaves.filter(isUsable)
  if (valid.length < leaves.length) {
    const faults = leaves.flatMap((leaf, index) =>
      isUsable(leaf)
        ? []
        : [{ path: pathOf(treeDef, index), expected: "float32, int32 or bool", found: describeLeaf(leaf) }]
    )
    throw new InvalidLeaf({ operation, faults })
  }
  checkAlive(operation, valid, (index) => pathOf(treeDef, index))
  return valid
}

/** One tree, whatever the dtypes of its leaves. */
export const takeAny = (operation: string, [tree]: ReadonlyArray<unknown>): Taken => {
  const [all, treeDef] = PyTree.flatten(tree)
  const leaves = tensorLeaves(operation, all, treeDef)
  const specs = leaves.map((leaf): TensorSpec => ({ shape: shapeOfLeaf(leaf), dtype: dtypeOf(leaf) ?? "float32" }))
  return { treeDef, count: 1, leaves, specs }
}
