/**
 * Compiled kernels, shared by all plans that contain them.
 *
 * Compiled synchronously, which takes a fraction of a millisecond: a kernel has a few hundred bytes to a few KB. The cache
 * is bounded: the kernel used longest ago goes.
 */
import type { Kernel } from "../plan/kernel.ts"
import { moduleBytes } from "./assembler.ts"
import { compile } from "./compile.ts"

/** Applies a kernel to `count` records that start at an address, with scalars at another. */
export type Run = (records: number, count: number, scalars: number) => void

const capacity = 512

/** The compiled kernels for one memory. */
export class Modules {
  readonly #memory: WebAssembly.Memory
  readonly #runs = new Map<string, Run>()

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
  }

  get size(): number {
    return this.#runs.size
  }

  #instantiate(kernel: Kernel): Run {
    const shared = typeof SharedArrayBuffer !== "undefined" && this.#memory.buffer instanceof SharedArrayBuffer
    const module = new WebAssembly.Module(moduleBytes(compile(kernel), shared))
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } })
    // The one export of the module, whose type is that of its code.
    return exports["run"] as Run
  }

  get(key: string, kernel: Kernel): Run {
    const run = this.#runs.get(key) ?? this.#instantiate(kernel)
    this.#runs.delete(key)
    this.#runs.set(key, run)
    const [oldest] = this.#runs.keys()
    if (this.#runs.size > capacity && oldest !== undefined) this.#runs.delete(oldest)
    return run
  }
}

/** Does this engine know the vector instructions? A module with one of them says. */
export const hasSimd = (): boolean => {
  const kernel: Kernel = {
    loops: 1,
    inputs: [[true]],
    scalars: 0,
    body: [],
    results: [{ value: { _tag: "Input", index: 0 }, reduce: undefined, walk: [true] }]
  }
  return WebAssembly.validate(moduleBytes(compile(kernel), false))
}
