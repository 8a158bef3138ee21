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

/** Read in the tensor's own time: on WebGPU there is no other. */
export const read = (tensor: Tensor): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(async () => Array.from(await tensor.data(), Number))

/** For each in parallel: what is read together waits for the device once. */
export const inParallel = <A, B, E, R>(
  all: ReadonlyArray<A>,
  f: (value: A) => Effect.Effect<B, E, R>
): Effect.Effect<ReadonlyArray<B>, E, R> => Effect.forEach(all, (value) => f(value), { concurrency: "unbounded" })

export const contents = (tree: unknown): Effect.Effect<ReadonlyArray<Contents>> =>
  inParallel(tensorsOf(tree), (tensor) =>
    Effect.map(read(tensor), (data) => ({ shape: tensor.shape, dtype: tensor.dtype, data }))
  )

const numbersOf = (leaf: unknown): Effect.Effect<ReadonlyArray<number>> => {
  if (typeof leaf === "number") return Effect.succeed([leaf])
  return leaf instanceof Float32Array ? Effect.succeed([...leaf]) : read(leaf as Tensor)
}

/** The numbers of each leaf, in the order of the tree; leaves may also be numbers and arrays of the host. */
export const values = (tree: unknown): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>> =>
  inParallel(PyTree.leaves(tree) as ReadonlyArray<unknown>, numbersOf)

/** The first number of each leaf. */
export const firsts = (tree: unknown): Effect.Effect<ReadonlyArray<number>> =>
  Effect.map(values(tree), (leaves) => leaves.map(([first = Number.NaN]) => first))
