/**
 * Kinds: the behaviour that belongs to one tag of `Schedule`.
 *
 * A kind says what its data is made of and what it is worth at a step. Kinds that hold other schedules get the
 * recursion as an argument, so that no kind imports the table of all kinds.
 */
import { InvalidSchedule } from "../InvalidSchedule.ts"
import type { Schedule } from "../Schedule.ts"
import * as Fault from "./Fault.ts"
import { faultsOf, type Fields, oneOf, type Struct, struct, type StructOptions } from "./Rule.ts"

/** What one tag of `Schedule` means. */
export interface Kind<A extends Schedule> {
  readonly tag: A["_tag"]
  /** What the data is made of, with the defaults of what may be left out. */
  readonly data: Struct<A>
  /** The value at a step, in the reference's order of operations; `inside` evaluates a schedule in the data. */
  readonly at: (self: A, step: number, inside: (schedule: Schedule, step: number) => number) => number
}

/** A kind as its file writes it down. */
interface Definition<A extends Schedule> extends Pick<Kind<A>, "tag" | "at">, StructOptions<A> {
  /** The rule of each field; the tag is added. */
  readonly fields: Fields<Omit<A, "_tag">>
}

/** A kind from its fields. */
export const define = <A extends Schedule>({ at, fields, tag, ...options }: Definition<A>): Kind<A> => ({
  tag,
  data: struct<A>({ _tag: oneOf([tag]), ...fields } as Fields<A>, options), // A is its tag and the rest
  at
})

/** The constructor's name, under which errors speak of a kind: `ExponentialDecay` is made by `exponentialDecay`. */
export const nameOf = (tag: Schedule["_tag"]): string => tag.charAt(0).toLowerCase() + tag.slice(1)

/** Throws the fault as an `InvalidSchedule` under the given function's name. */
export const refuse = (schedule: string, { expected, path, value }: Fault.Fault): never => {
  throw new InvalidSchedule({ schedule, field: Fault.formatPath(path), value, expected })
}

/** Throws the first fault, if there is one. */
export const refuseAny = (schedule: string, [first]: ReadonlyArray<Fault.Fault>): void => {
  if (first !== undefined) refuse(schedule, first)
}

/**
 * The data made from options, with a copy of each list and the defaults filled in; throws `InvalidSchedule` when it is
 * not sound. For kinds without schedules inside.
 */
export const construct = <A extends Schedule>(
  { data, tag }: Kind<A>,
  options: { readonly [Field in Exclude<keyof A, "_tag">]?: unknown }
): A => {
  const self = data.complete({ ...options, _tag: tag }, (schedule) => schedule)
  refuseAny(nameOf(tag), faultsOf(data, self))
  return self as A // its fields have passed their rules
}
