/**
 * Checksums: XXH64 with seed 0, in hexadecimal.
 *
 * It is to find damage, not malice: fast enough to be hidden behind the disk (4 GB/s in WebAssembly, where CRC-32 has
 * 0.7 and XXH3 without SIMD 2), wide enough that chance passes it once in 2^64, and known everywhere (Python's
 * `xxhash.xxh64`, `xxhsum -H64`). hash-wasm has it in 4 kB, without dependencies, and hashes through a window of 16 kB.
 */
import * as Effect from "effect/Effect"
import { createXXHash64, type IHasher } from "hash-wasm"

/** A checksum that is being computed. */
export class Checksum {
  readonly #hasher: IHasher
  constructor(hasher: IHasher) {
    this.#hasher = hasher
  }

  /** Begins anew. */
  reset(): void {
    this.#hasher.init()
  }

  /** Goes on with these bytes. */
  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes)
  }

  /** The checksum of all bytes since the beginning. */
  digest(): string {
    return this.#hasher.digest("hex")
  }

  /** The checksum of these bytes alone. */
  of(bytes: Uint8Array): string {
    this.reset()
    this.update(bytes)
    return this.digest()
  }
}

/** A checksum of one's own. Where WebAssembly is forbidden, that is a defect: tensors need it, too. */
export const make: Effect.Effect<Checksum> = Effect.map(
  Effect.promise(() => createXXHash64()),
  (hasher) => new Checksum(hasher)
)
