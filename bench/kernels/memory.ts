/**
 * Memory of their own for the hand-written kernels, filled from the front.
 */
import { type Assembler, moduleBytes } from "../../packages/core/src/internal/wasm/assembler.ts"

const pageBytes = 65_536

/** Arrays lie at the start of a cache line. */
const alignment = 64

const maximumPages = 65_536

/** One memory and what lies in it. */
export class Arena {
  readonly memory: WebAssembly.Memory
  #next = alignment

  constructor(bytes: number) {
    this.memory = new WebAssembly.Memory({
      initial: Math.ceil((bytes + alignment) / pageBytes) + 1,
      maximum: maximumPages
    })
  }

  /** The address of a new array of zeros. */
  zeros(length: number): number {
    const address = this.#next
    this.#next += Math.ceil((length * Float32Array.BYTES_PER_ELEMENT) / alignment) * alignment
    return address
  }

  /** The address of a new array with these numbers. */
  array(numbers: Float32Array): number {
    const address = this.zeros(numbers.length)
    this.view(address, numbers.length).set(numbers)
    return address
  }

  view(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }

  /** The function of an assembled module, which works in this memory. */
  link(assembler: Assembler): (...args: ReadonlyArray<number>) => void {
    const module = new WebAssembly.Module(moduleBytes(assembler, false))
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } })
    // The one export, of numbers that the assembler was given as parameters.
    return exports["run"] as (...args: ReadonlyArray<number>) => void
  }
}

/** The bytes that these arrays of float32 take in an arena. */
export const arenaBytes = (lengths: ReadonlyArray<number>): number =>
  lengths.reduce((sum, length) => sum + length * Float32Array.BYTES_PER_ELEMENT + alignment, 0)
