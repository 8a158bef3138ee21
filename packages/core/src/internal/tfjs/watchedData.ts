/**
 * Data of tfjs' wasm backend that is written in place.
 *
 * Matrix products and convolutions keep their weights in a packed form, under the name that the data has within
 * WebAssembly, until that is disposed. Data written in place would go on being multiplied as it was before. Every kernel
 * that uses data reads its name, so the name is watched: data that a kernel has used gets another one before it is
 * written, and what nobody used since (a moment of Adam, say) keeps its name for free.
 *
 * A class, put in the place of tfjs' own record: an accessor on that record would turn it into a slow object, and a
 * step reads thousands.
 */
import { sizeOf } from "../trace/shape.ts"

/** What tfjs knows of the data of a tensor. */
export interface DataRecord {
  readonly id: number
  readonly memoryOffset: number
  readonly shape: ReadonlyArray<number>
  readonly dtype: string
  refCount: number
}

/** The part of the backend that names data. */
export interface Names {
  dataIdNextNumber: number
  readonly wasm: {
    readonly tfjs: {
      readonly registerTensor: (id: number, size: number, address: number) => void
      readonly disposeData: (id: number) => void
    }
  }
}

const watchedKey: unique symbol = Symbol.for("@optim/core/watchedData")

/** Is this record watched, by whatever copy of this package? */
export const isWatched = (record: DataRecord): record is WatchedData => watchedKey in record

/** How often something was done with data that had been written in place: none of it needs a look while none was. */
export interface Touches {
  count: number
}

/** A record that knows whether its name was read, and reports when it is no longer as it was when last written. */
export class WatchedData implements DataRecord {
  readonly [watchedKey] = true
  readonly memoryOffset: number
  readonly shape: ReadonlyArray<number>
  readonly dtype: string
  readonly #touches: Touches
  #refCount: number
  #id: number
  #isUsed = true
  #isTouched = true

  constructor({ dtype, id, memoryOffset, refCount, shape }: DataRecord, touches: Touches) {
    this.memoryOffset = memoryOffset
    this.shape = shape
    this.dtype = dtype
    this.#touches = touches
    this.#refCount = refCount
    this.#id = id
  }

  #touch(): void {
    if (this.#isTouched) return
    this.#isTouched = true
    this.#touches.count++
  }

  /** How many handles share the data: counted by tfjs. */
  get refCount(): number {
    return this.#refCount
  }

  set refCount(count: number) {
    this.#touch()
    this.#refCount = count
  }

  /** The name of the data within WebAssembly. */
  get id(): number {
    this.#touch()
    this.#isUsed = true
    return this.#id
  }

  /** To be called before the data is written in place: another name, if the old one was used. */
  renew(backend: Names): void {
    this.#isTouched = false
    if (!this.#isUsed) return
    const { disposeData, registerTensor } = backend.wasm.tfjs
    disposeData(this.#id)
    this.#id = backend.dataIdNextNumber++
    registerTensor(this.#id, sizeOf(this.shape), this.memoryOffset)
    this.#isUsed = false
  }
}
