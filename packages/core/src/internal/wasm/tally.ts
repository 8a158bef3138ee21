/**
 * How often each address occurs, for a few thousand addresses in every step.
 *
 * A hash table of numbers that is emptied by counting up a stamp: 4 ns an address where a `Map` takes 50.
 */
export class Tally {
  #mask: number
  #addresses: Uint32Array
  #stamps: Uint32Array
  #counts: Uint32Array
  // Not that of the slots: before anything was added all are free.
  #stamp = 1

  constructor(size: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * size)))
    this.#mask = capacity - 1
    this.#addresses = new Uint32Array(capacity)
    this.#stamps = new Uint32Array(capacity)
    this.#counts = new Uint32Array(capacity)
  }

  /** Forgets all addresses. */
  clear(): void {
    this.#stamp++
    if (this.#stamp < 2 ** 32 - 1) return
    this.#stamps.fill(0)
    this.#stamp = 1
  }

  /** The slot of an address, or the free one where it belongs. Addresses are multiples of 16. */
  #slot(address: number): number {
    let slot = Math.imul(address >>> 4, 0x9e3779b1) & this.#mask
    while (this.#stamps[slot] === this.#stamp && this.#addresses[slot] !== address) slot = (slot + 1) & this.#mask
    return slot
  }

  add(address: number): void {
    const slot = this.#slot(address)
    this.#counts[slot] = this.#stamps[slot] === this.#stamp ? (this.#counts[slot] ?? 0) + 1 : 1
    this.#addresses[slot] = address
    this.#stamps[slot] = this.#stamp
  }

  count(address: number): number {
    const slot = this.#slot(address)
    return this.#stamps[slot] === this.#stamp ? (this.#counts[slot] ?? 0) : 0
  }
}
