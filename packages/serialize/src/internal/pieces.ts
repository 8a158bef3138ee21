/**
 * The same bytes in other pieces: of one size, or so that small chunks are gathered and large ones go through.
 *
 * No more than one piece is held beside the chunks. A piece stays as it is.
 */
import * as Stream from "effect/Stream"

class Gatherer {
  readonly #size: number
  /** Chunks that long are handed on as they are, behind what was gathered before. */
  readonly #large: number
  #buffer: Uint8Array | undefined
  #filled = 0

  constructor(size: number, large: number) {
    this.#size = size
    this.#large = large
  }

  /** The pieces that end in this chunk. */
  *take(chunk: Uint8Array): Generator<Uint8Array> {
    if (chunk.length >= this.#large) {
      yield* this.rest()
      yield chunk
      return
    }
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(this.#size - this.#filled, chunk.length - at)
      const part = chunk.subarray(at, at + count)
      at += count
      const full = count === this.#size ? part : this.#gather(part)
      if (full !== undefined) yield full
    }
  }

  /** What was gathered and not yet handed out. */
  *rest(): Generator<Uint8Array> {
    const rest = this.#buffer?.subarray(0, this.#filled)
    this.#buffer = undefined
    this.#filled = 0
    if (rest !== undefined) yield rest
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

function* through(gatherer: Gatherer, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) yield* gatherer.take(chunk)
  yield* gatherer.rest()
}

/** The bytes of some chunks in pieces of `size`, the last one shorter. */
export const piecesOf = (chunks: Iterable<Uint8Array>, size: number): Iterable<Uint8Array> =>
  through(new Gatherer(size, Infinity), chunks)

/** The bytes of some chunks in pieces of at most `size`, unless a chunk is longer; long ones are not copied. */
export const gathered = (chunks: Iterable<Uint8Array>, size: number): Iterable<Uint8Array> =>
  through(new Gatherer(size, size >> 2), chunks)

/** The bytes of a stream in pieces of `size`, the last one shorter. */
export const pieces = <E, R>(content: Stream.Stream<Uint8Array, E, R>, size: number): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    const gatherer = new Gatherer(size, Infinity)
    const full = Stream.flatMap(content, (chunk) => Stream.fromIterable(gatherer.take(chunk), { chunkSize: 1 }))
    return Stream.concat(
      full,
      Stream.suspend(() => Stream.fromIterable(gatherer.rest()))
    )
  })
