/**
 * Tensors to the host and back.
 */
import { DisposedTensor, type BackendError, type BackendLost } from "@optim/core/OptimError"
import { dispose, type HostTensor, Tensors } from "@optim/core/Tensors"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { UnencodableCheckpoint } from "../SerializeError.ts"
import { specOf } from "./assemble.ts"
import { isTensor } from "./leaves.ts"

type TensorOrHost = Tensor | HostTensor

const isGone = (leaf: TensorOrHost): boolean => isTensor(leaf) && leaf.isDisposed

const writable = ["float32", "int32", "bool"]

const isForeign = (leaf: TensorOrHost): leaf is Tensor => isTensor(leaf) && !writable.includes(leaf.dtype)

const check = (operation: string, leaves: ReadonlyArray<TensorOrHost>, paths: ReadonlyArray<string>) => {
  const gone = leaves.flatMap((leaf, index) => (isGone(leaf) ? [paths[index] ?? ""] : []))
  if (gone.length > 0) return Effect.fail(new DisposedTensor({ operation, paths: gone }))
  const expected = writable.join(", ")
  const foreign = leaves.flatMap((leaf, index) =>
    isForeign(leaf) ? [{ path: paths[index] ?? "", expected, found: specOf(leaf) }] : []
  )
  return foreign.length > 0 ? Effect.fail(new UnencodableCheckpoint({ operation, faults: foreign })) : Effect.void
}

/** The numbers of tensors, all asked for at once; `paths` are their names in messages. */
export const readAll = Effect.fnUntraced(function* (
  operation: string,
  leaves: ReadonlyArray<TensorOrHost>,
  paths: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<HostTensor>, DisposedTensor | UnencodableCheckpoint | BackendLost, Tensors> {
  const tensors = yield* Tensors
  yield* check(operation, leaves, paths)
  const read = (leaf: TensorOrHost): Effect.Effect<HostTensor, BackendLost | DisposedTensor> =>
    isTensor(leaf) ? Effect.map(tensors.read(leaf), (data) => ({ shape: leaf.shape, data })) : Effect.succeed(leaf)
  return yield* Effect.forEach(leaves, read, { concurrency: "unbounded" })
})

/** Tensors of these numbers, which are copied; the caller owns them. If one cannot be made, none is left behind. */
export const makeAll = (
  hosts: ReadonlyArray<HostTensor>
): Effect.Effect<ReadonlyArray<Tensor>, BackendError, Tensors> =>
  Effect.suspend(() => {
    const made: Array<Tensor> = []
    const make = ({ data, shape }: HostTensor) =>
      Tensors.use((tensors) => tensors.make({ shape, data: data.slice() })).pipe(
        Effect.tap((tensor) => Effect.sync(() => made.push(tensor)))
      )
    return Effect.forEach(hosts, make).pipe(Effect.onError(() => dispose(made)))
  })
