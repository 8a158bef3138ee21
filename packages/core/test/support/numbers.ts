/** What a tree of tensors holds, as plain data that can be compared: −0 differs from 0, every NaN is the same. */
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

interface Contents {
  readonly shape: ReadonlyArray<number>
  readonly dtype: string
  readonly data: ReadonlyArray<number>
}

export const tensorsOf = (tree: unknown): ReadonlyArray<Tensor> => PyTree.leaves(tree) as ReadonlyArray<Tensor>

/** Read without waiting in vain: on WebGPU a tensor can only be read in its own time. */
export const contents = (tree: unknown): Effect.Effect<ReadonlyArray<Contents>> =>
  Effect.forEach(tensorsOf(tree), (tensor) =>
    Effect.promise(async () => ({ shape: tensor.shape, dtype: tensor.dtype, data: Array.from(await tensor.data()) }))
  )

/** The numbers of each leaf, in the order of the tree. */
export const values = (tree: unknown): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>> =>
  Effect.map(contents(tree), (leaves) => leaves.map(({ data }) => data))

/** The same at once, for suites that do not run on WebGPU. */
export const valuesAtOnce = (tree: unknown): ReadonlyArray<ReadonlyArray<number>> =>
  tensorsOf(tree).map((tensor) => Array.from(tensor.dataSync(), Number))
