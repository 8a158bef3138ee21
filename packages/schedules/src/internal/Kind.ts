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

/** Throws the first fault as an `InvalidSchedule` under the given constructor's name. */
export const refuse = (schedule: string, faults: ReadonlyArray<Fault.Fault>): void => {
  const [first] = faults
  if (first === undefined) return
  throw new InvalidSchedule({
    schedule,
    field: Fault.formatPath(first.path),
    value: first.value,
    expected: first.expected
  })
}

/** The data itself when it is sound; throws `InvalidSchedule` when it is not. For kinds without nested schedules. */
export const sound = <A extends Schedule>(kind: Kind<A>, self: A): A => {
  refuse(
    kind.name,
    kind.faults(self, () => [])
  )
  return self
}
