/**
 * Kinds: the behaviour that belongs to one tag of `Schedule`.
 *
 * A kind says when its data is sound and what it is worth at a step. Kinds that hold other schedules get the
 * recursion as an argument, so that no kind imports the table of all kinds.
 */
import { InvalidSchedule } from "../InvalidSchedule.ts"
import type { Schedule } from "../Schedule.ts"
import * as Fault from "./Fault.ts"

/** What one tag of `Schedule` means. */
export interface Kind<A extends Schedule> {
  /** The constructor's name, under which errors speak of this kind. */
  readonly name: string
  /** Everything that is wrong with the data; `nested` answers for a schedule inside it. */
  readonly faults: (self: A, nested: (schedule: unknown) => ReadonlyArray<Fault.Fault>) => ReadonlyArray<Fault.Fault>
  /** The value at a step, in the reference's order of operations; `nested` evaluates a schedule inside it. */
  readonly at: (self: A, step: number, nested: (schedule: Schedule, step: number) => number) => number
}

/** Throws the fault as an `InvalidSchedule` under the given function's name. */
export const refuse = (schedule: string, { expected, path, value }: Fault.Fault): never => {
  throw new InvalidSchedule({ schedule, field: Fault.formatPath(path), value, expected })
}

/** Throws the first fault, if there is one. */
export const refuseAny = (schedule: string, [first]: ReadonlyArray<Fault.Fault>): void => {
  if (first !== undefined) refuse(schedule, first)
}

/** The data itself when it is sound; throws `InvalidSchedule` when it is not. For kinds without nested schedules. */
export const sound = <A extends Schedule>(kind: Kind<A>, self: A): A => {
  refuseAny(
    kind.name,
    kind.faults(self, () => [])
  )
  return self
}
