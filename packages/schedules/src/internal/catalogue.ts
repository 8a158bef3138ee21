/**
 * The catalogue: every kind of schedule under its tag, and the two recursions over nested schedules.
 *
 * A new kind is one file in `kinds/`, one member of `Schedule` and one line here and in the codec; the compiler asks
 * for each of them.
 */
import { hasProperty } from "effect/Predicate"
import type { Schedule } from "../Schedule.ts"
import type { Fault } from "./Fault.ts"
import type { Kind } from "./Kind.ts"
import * as Clamp from "./kinds/clamp.ts"
import * as Constant from "./kinds/constant.ts"
import * as ExponentialDecay from "./kinds/exponentialDecay.ts"
import * as InverseTimeDecay from "./kinds/inverseTimeDecay.ts"
import * as Join from "./kinds/join.ts"
import * as PiecewiseConstant from "./kinds/piecewiseConstant.ts"
import * as PolynomialDecay from "./kinds/polynomialDecay.ts"
import * as Scale from "./kinds/scale.ts"

const kinds: { readonly [Tag in Schedule["_tag"]]: Kind<Extract<Schedule, { readonly _tag: Tag }>> } = {
  Constant: Constant.kind,
  ExponentialDecay: ExponentialDecay.kind,
  InverseTimeDecay: InverseTimeDecay.kind,
  PolynomialDecay: PolynomialDecay.kind,
  PiecewiseConstant: PiecewiseConstant.kind,
  Join: Join.kind,
  Scale: Scale.kind,
  Clamp: Clamp.kind
}

/** The tags in words. */
export const tags: string = `one of ${Object.keys(kinds).join(", ")}`

/** The kind of a schedule. TypeScript cannot see that the kind found under a schedule's own tag takes that schedule. */
export const kindOf = (schedule: Schedule): Kind<Schedule> => kinds[schedule._tag] as Kind<Schedule>

/** Whether a value carries the tag of some kind. Its fields may still be unsound. */
export const isTagged = (value: unknown): value is Schedule =>
  hasProperty(value, "_tag") && typeof value._tag === "string" && Object.hasOwn(kinds, value._tag)

/** Everything that is wrong with a value that should be a schedule, through all its levels. */
export const faults = (value: unknown): ReadonlyArray<Fault> => {
  if (isTagged(value)) return kindOf(value).faults(value, faults)
  if (!hasProperty(value, "_tag")) return [{ path: [], value, expected: "a schedule" }]
  return [{ path: ["_tag"], value: value._tag, expected: tags }]
}

/** The value of a sound schedule at a step. */
export const evaluate = (schedule: Schedule, step: number): number => kindOf(schedule).at(schedule, step, evaluate)
