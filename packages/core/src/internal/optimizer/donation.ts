/**
 * Which states were given away, and at which step: the one thing about a state that changes.
 */
import { DonatedStateUsed } from "../../OptimError.ts"

/** Where a state keeps the step of the update that it was given to. */
export const donatedAt: unique symbol = Symbol.for("@optim/core/donatedAt")

/** Something that can be given away. */
export interface Donatable {
  [donatedAt]: number | undefined
}

/** From now on the state must not be used. */
export const markDonated = (state: Donatable, step: number): void => {
  state[donatedAt] = step
}

/** Was this state given away? */
export const isDonated = (state: unknown): boolean =>
  typeof state === "object" && state !== null && donatedAt in state && state[donatedAt] !== undefined

/** Throws `DonatedStateUsed` if the state was given away. */
export const checkNotDonated = (operation: string, state: Donatable): void => {
  const step = state[donatedAt]
  if (step !== undefined) throw new DonatedStateUsed({ operation, donatedAtStep: step })
}
