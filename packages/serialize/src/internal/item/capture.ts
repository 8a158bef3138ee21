/**
 * Snapshots: the numbers of leaves, copied, so that training may go on at once.
 */
import type { BackendError, BackendLost, DisposedTensor } from "@optim/core/OptimError"
import { dispose, type HostTensor, Tensors } from "@optim/core/Tensors"
import * as Effect from "effect/Effect"
import type * as Safetensors from "../../Safetensors.ts"
import type { UnencodableCheckpoint } from "../../SerializeError.ts"
import { bytesOf } from "../bytes.ts"
import { isTensor } from "../leaves.ts"
import { readAll } from "../transfer.ts"
import { hostArray, type Leaf, type LeafArray, type Slot } from "./slots.ts"

const entryOf = ({ dtype, name, shape }: Slot, data: LeafArray): Safetensors.Entry => ({
  name,
  dtype,
  shape,
  bytes: bytesOf(data, data.BYTES_PER_ELEMENT)
})

/** The leaves of these slots as entries of a file, in their order. */
export const capture = Effect.fnUntraced(function* (
  operation: string,
  leaves: ReadonlyArray<Leaf>,
  slots: ReadonlyArray<Slot>
): Effect.fn.Return<
  ReadonlyArray<{ readonly path: string; readonly entry: Safetensors.Entry }>,
  DisposedTensor | UnencodableCheckpoint | BackendLost,
  Tensors
> {
  const tensors = leaves.filter(isTensor)
  const paths = slots.filter(({ form }) => form === "tensor").map(({ path }) => path)
  const read: Iterator<HostTensor> = (yield* readAll(operation, tensors, paths))[Symbol.iterator]()
  return slots.map((slot, index) => {
    const leaf = leaves[index]
    const data = isTensor(leaf) || leaf === undefined ? (read.next().value as HostTensor).data : hostArray(leaf) // one was read for each
    return { path: slot.path, entry: entryOf(slot, data) }
  })
})

const shared = (leaf: Leaf): Effect.Effect<Leaf, BackendError, Tensors> => {
  if (isTensor(leaf)) return Tensors.use((tensors) => tensors.share(leaf))
  return Effect.succeed(typeof leaf === "number" ? leaf : leaf.slice())
}

/** Leaves of one's own that show the same numbers: all, or none. */
export const shareAll = (leaves: ReadonlyArray<Leaf>): Effect.Effect<ReadonlyArray<Leaf>, BackendError, Tensors> =>
  Effect.suspend(() => {
    const made: Array<Leaf> = []
    const share = (leaf: Leaf) => Effect.map(shared(leaf), (own) => void made.push(own))
    return Effect.forEach(leaves, share, { discard: true }).pipe(
      Effect.as(made),
      Effect.onError(() => dispose(made))
    )
  })
