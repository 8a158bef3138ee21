/**
 * Which states were given away, and at which step.
 *
 * Kept beside the states rather than in them, so that a state stays a plain immutable value; an entry lives as long as
 * the state that it is about.
 */
import { DonatedStateUsed } from "../../OptimError.ts"

const donated = new WeakMap<object, number>()

/** From now on the state must not be used. */
export const markDonated = (state: object, step: number): void => {
  donated.set(state, step)
}

/** Was this state given away? */
export const isDonated = (state: unknown): boolean => typeof state === "object" && state !== null && donated.has(state)

/** Throws `DonatedStateUsed` if the state was given away. */
export const checkNotDonated = (operation: string, state: object): void => {
  const donatedAtStep = donated.get(state)
  if (donatedAtStep !== undefined) throw new DonatedStateUsed({ operation, donatedAtStep })
}
