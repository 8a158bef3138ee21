/** Random numbers that can be had again: mulberry32. */

/** Whole numbers from 0 up to a bound. */
export type Random = (bound: number) => number

/** The numbers of a seed. */
export const makeRandom = (seed: number): Random => {
  let state = seed | 0
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

/** One of several. */
export const pick = <A>(random: Random, from: ReadonlyArray<A>): A => {
  const one = from[random(from.length)]
  if (one === undefined) throw new Error("there is nothing to pick")
  return one
}
