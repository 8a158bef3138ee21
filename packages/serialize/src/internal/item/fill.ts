/**
 * Leaves made of the bytes of stored tensors, one after the other, in whatever order they come.
 */
import type { BackendError } from "@optim/core/OptimError"
import { dispose, type HostTensor, Tensors } from "@optim/core/Tensors"
import * as Effect from "effect/Effect"
import * as Safetensors from "../../Safetensors.ts"
import { elementsOf } from "../bytes.ts"
import type { TensorRecord } from "../manager/manifest.ts"
import type { Leaf, LeafArray, Slot } from "./slots.ts"

/** The numbers of a stored tensor in the array that a slot calls for: a view of `bytes` where it can be. */
const numbersFor = (slot: Slot, { dtype, name, shape }: TensorRecord, bytes: Uint8Array): LeafArray => {
  const entry = { name, dtype, shape, bytes }
  if (slot.dtype === "F64") {
    if (dtype === "F64") return elementsOf(Float64Array, bytes)
    return Float64Array.from(dtype === "I32" ? elementsOf(Int32Array, bytes) : Safetensors.toFloat32(entry).data)
  }
  if (slot.dtype === "F32") {
    return dtype === "I32" ? Float32Array.from(elementsOf(Int32Array, bytes)) : elementsOfFloat(entry)
  }
  return slot.dtype === "I32" ? elementsOf(Int32Array, bytes) : bytes
}

const elementsOfFloat = (entry: Safetensors.Entry): Float32Array => {
  const { data } = Safetensors.toFloat32(entry)
  return data instanceof Float32Array ? data : Float32Array.from(data)
}

const hostOf = (slot: Slot, array: LeafArray): HostTensor => ({
  shape: slot.shape,
  data: array instanceof Float64Array ? Float32Array.from(array) : array // a tensor's slot is never F64
})

/** An array that holds no more memory than its own. */
const alone = (array: LeafArray): LeafArray => (array.byteLength < array.buffer.byteLength ? array.slice() : array)

/** The leaf of a slot, of these bytes, which nobody else may hold or change. */
export const leafOf = (
  slot: Slot,
  record: TensorRecord,
  bytes: Uint8Array
): Effect.Effect<Leaf, BackendError, Tensors> =>
  Effect.suspend((): Effect.Effect<Leaf, BackendError, Tensors> => {
    const array = numbersFor(slot, record, bytes)
    if (slot.form === "number") return Effect.succeed(array[0] ?? Number.NaN)
    if (slot.form === "array") return Effect.succeed(alone(array))
    return Tensors.use((tensors) => tensors.make(hostOf(slot, array)))
  })

/** Leaves that are being filled in; whoever holds them owns them until they are handed over. */
export class Leaves {
  readonly #leaves: Array<Leaf | undefined>
  constructor(kept: ReadonlyArray<Leaf | undefined>) {
    this.#leaves = [...kept]
  }

  /** Puts a leaf into its place. */
  set(index: number, leaf: Leaf): void {
    this.#leaves[index] = leaf
  }

  /** All leaves; a place that was never filled is a defect. */
  get all(): ReadonlyArray<Leaf> {
    return this.#leaves.map((leaf, index) => {
      if (leaf === undefined) throw new Error(`leaf ${index} was not filled`)
      return leaf
    })
  }

  /** Gives up: disposes what was made. */
  get dispose(): Effect.Effect<void> {
    return dispose(this.#leaves)
  }
}
