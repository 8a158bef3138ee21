/** What a tree of tensors holds, as plain data that can be compared: −0 differs from 0, every NaN is the same. */
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"

interface Contents {
  readonly shape: ReadonlyArray<number>
  readonly dtype: string
  readonly data: ReadonlyArray<number>
}

export const tensorsOf = (tree: unknown): ReadonlyArray<Tensor> => PyTree.leaves(tree) as ReadonlyArray<Tensor>

export const contents = (tree: unknown): ReadonlyArray<Contents> =>
  tensorsOf(tree).map((tensor) => ({
    shape: tensor.shape,
    dtype: tensor.dtype,
    data: Array.from(tensor.dataSync())
  }))

/** The numbers of each leaf, in the order of the tree. */
export const values = (tree: unknown): ReadonlyArray<ReadonlyArray<number>> => contents(tree).map(({ data }) => data)
