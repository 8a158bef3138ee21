/**
 * Checked allocation.
 *
 * tfjs' wasm backend does not look at what its allocator answers: address 0 after a failure, or the size modulo 2³² for
 * a request above 4 GiB, and the numbers are written over somebody else's. A checked allocator throws before anything
 * is written.
 */

/** Thrown inside a synchronous computation; the service turns it into `OutOfMemory`. */
export class OutOfMemoryDefect extends Error {
  override readonly name = "@optim/core/OutOfMemoryDefect"
  readonly requestedBytes: number

  constructor(requestedBytes: number) {
    super(`no room for ${requestedBytes} bytes`)
    this.requestedBytes = requestedBytes
  }
}

/** Was it thrown by a checked allocator, of whatever copy of this package? */
export const isOutOfMemory = (error: unknown): error is OutOfMemoryDefect =>
  error instanceof Error && error.name === "@optim/core/OutOfMemoryDefect"

type Allocate = (bytes: number) => number

const checkedMark = Symbol.for("@optim/core/checkedAllocation")

const addressSpace = 2 ** 32

/** The same allocator, but throwing where it would answer with an address that is none. */
export const checked = (allocate: Allocate): Allocate => {
  if (checkedMark in allocate) return allocate
  const checkedAllocate: Allocate = (bytes) => {
    const address = bytes < addressSpace ? allocate(bytes) : 0
    if (address === 0 && bytes > 0) throw new OutOfMemoryDefect(bytes)
    return address
  }
  return Object.assign(checkedAllocate, { [checkedMark]: true })
}
