/**
 * The same bytes in pieces of one size.
 *
 * Small chunks are gathered, large ones are handed on as views, so no more than one piece is held beside them. A piece
 * stays as it is.
 */
import * as Stream from "effect/Stream"

class Gatherer {
  readonly #size: number
  #buffer: Uint8Array | undefined
  #filled = 0

  constructor(size: number) {
    this.#size = size
  }

  /** The full pieces that end in this chunk. */
  *take(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(this.#size - this.#filled, chunk.length - at)
      const part = chunk.subarray(at, at + count)
      at += count
      const full = count === this.#size ? part : this.#gather(part)
      if (full !== undefined) yield full
    }
  }

  /** What is left in the end. */
  *rest(): Generator<Uint8Array> {
    if (this.#buffer !== undefined) yield this.#buffer.subarray(0, this.#filled)
  }

  /** Adds to the buffer, which is given away when it is full. */
  #gather(part: Uint8Array): Uint8Array | undefined {
    const buffer = (this.#buffer ??= new Uint8Array(this.#size))
    buffer.set(part, this.#filled)
    this.#filled += part.length
    if (this.#filled < this.#size) return undefined
    this.#buffer = undefined
    this.#filled = 0
    return buffer
  }
}

/** The bytes of some chunks in pieces of `size`, the last one shorter. */
export function* piecesOf(chunks: Iterable<Uint8Array>, size: number): Generator<Uint8Array> {
  const gatherer = new Gatherer(size)
  for (const chunk of chunks) yield* gatherer.take(chunk)
  yield* gatherer.rest()
}

/** The bytes of a stream in pieces of `size`, the last one shorter. */
export const pieces = <E, R>(content: Stream.Stream<Uint8Array, E, R>, size: number): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    const gatherer = new Gatherer(size)
    const full = Stream.flatMap(content, (chunk) => Stream.fromIterable(gatherer.take(chunk), { chunkSize: 1 }))
    return Stream.concat(
      full,
      Stream.suspend(() => Stream.fromIterable(gatherer.rest()))
    )
  })
