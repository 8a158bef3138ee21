/**
 * Contestants: who takes part in the benchmark, and the proof that each computes what it says.
 */
import { positionsOf, type Reference } from "./reference.ts"
import type { Setting } from "./setting.ts"

/** One contestant at the start, with all that it needs made. */
export interface Contestant {
  readonly name: string
  /** What its parameters must be. */
  readonly reference: Reference
  /** The next step, with the same gradients as always. */
  readonly step: () => void | Promise<void>
  /** The parameters now, leaf by leaf. */
  readonly read: () => ReadonlyArray<Float32Array> | Promise<ReadonlyArray<Float32Array>>
  /** Releases everything. */
  readonly end: () => void
}

const steps = 3

/** A relative error of a float32 step in another order of operations; tfjs' bias corrections in float32 need 1e-5. */
const relative = 2e-4

/** Steps are a thousandth of the parameters, which are rounded in every step. */
const rounding = 2 * steps * 2 ** -24

const worst = (found: Float32Array, start: Float32Array, expected: Float64Array, positions: Int32Array): number => {
  let largest = 0
  positions.forEach((position, index) => {
    const before = start[position] ?? Number.NaN
    const wanted = expected[index] ?? Number.NaN
    const allowed = rounding + relative * Math.abs(wanted - before)
    const error = Math.abs((found[position] ?? Number.NaN) - wanted) / allowed
    if (!(error <= largest)) largest = error
  })
  return largest
}

/** Runs the first steps and throws unless they give what they should. */
export const check = async (self: Contestant, { leaves, name }: Setting): Promise<void> => {
  for (let index = 0; index < steps; index++) await self.step()
  const found = await self.read()
  leaves.forEach((leaf, index) => {
    const positions = positionsOf(leaf.x.length)
    const expected = self.reference(leaf, steps, positions, leaves)
    const error = worst(found[index] ?? new Float32Array(), leaf.x, expected, positions)
    if (!(error <= 1)) throw new Error(`${self.name} is wrong on ${name}, leaf ${index}: ${error} times the tolerance`)
  })
}
