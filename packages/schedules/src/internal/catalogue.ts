/**
 * The catalogue: every kind of schedule under its tag, and the recursions over schedules inside schedules.
 *
 * A new kind is one file in `kinds/`, one member of `Schedule` and one line here; the compiler asks for each of them.
 */
import { hasProperty } from "effect/Predicate"
import type { Schedule } from "../Schedule.ts"
import { type Fault, within } from "./Fault.ts"
import { type Kind, nameOf } from "./Kind.ts"
import * as Clamp from "./kinds/combined/clamp.ts"
import * as Join from "./kinds/combined/join.ts"
import * as Scale from "./kinds/combined/scale.ts"
import * as Constant from "./kinds/curves/constant.ts"
import * as CosineDecaySchedule from "./kinds/curves/cosineDecaySchedule.ts"
import * as ExponentialDecay from "./kinds/curves/exponentialDecay.ts"
import * as InverseTimeDecay from "./kinds/curves/inverseTimeDecay.ts"
import * as LinearSchedule from "./kinds/curves/linearSchedule.ts"
import * as PolynomialDecay from "./kinds/curves/polynomialDecay.ts"
import * as PolynomialSchedule from "./kinds/curves/polynomialSchedule.ts"
import * as CosineOnecycleSchedule from "./kinds/piecewise/cosineOnecycleSchedule.ts"
import * as LinearOnecycleSchedule from "./kinds/piecewise/linearOnecycleSchedule.ts"
import * as PiecewiseConstant from "./kinds/piecewise/piecewiseConstant.ts"
import * as PiecewiseConstantSchedule from "./kinds/piecewise/piecewiseConstantSchedule.ts"
import * as PiecewiseInterpolateSchedule from "./kinds/piecewise/piecewiseInterpolateSchedule.ts"
import * as SgdrSchedule from "./kinds/warmup/sgdrSchedule.ts"
import * as WarmupConstantSchedule from "./kinds/warmup/warmupConstantSchedule.ts"
import * as WarmupCosineDecaySchedule from "./kinds/warmup/warmupCosineDecaySchedule.ts"
import * as WarmupExponentialDecaySchedule from "./kinds/warmup/warmupExponentialDecaySchedule.ts"

const kinds: { readonly [Tag in Schedule["_tag"]]: Kind<Extract<Schedule, { readonly _tag: Tag }>> } = {
  Constant: Constant.kind,
  ExponentialDecay: ExponentialDecay.kind,
  InverseTimeDecay: InverseTimeDecay.kind,
  PolynomialDecay: PolynomialDecay.kind,
  PolynomialSchedule: PolynomialSchedule.kind,
  LinearSchedule: LinearSchedule.kind,
  CosineDecaySchedule: CosineDecaySchedule.kind,
  PiecewiseConstant: PiecewiseConstant.kind,
  PiecewiseConstantSchedule: PiecewiseConstantSchedule.kind,
  PiecewiseInterpolateSchedule: PiecewiseInterpolateSchedule.kind,
  LinearOnecycleSchedule: LinearOnecycleSchedule.kind,
  CosineOnecycleSchedule: CosineOnecycleSchedule.kind,
  WarmupConstantSchedule: WarmupConstantSchedule.kind,
  WarmupCosineDecaySchedule: WarmupCosineDecaySchedule.kind,
  WarmupExponentialDecaySchedule: WarmupExponentialDecaySchedule.kind,
  SgdrSchedule: SgdrSchedule.kind,
  Join: Join.kind,
  Scale: Scale.kind,
  Clamp: Clamp.kind
}

/** All kinds. */
export const all: ReadonlyArray<Kind<Schedule>> = Object.values(kinds) as ReadonlyArray<Kind<Schedule>> // see `kindOf`

/** The tags in words. */
const tags = `one of ${Object.keys(kinds).join(", ")}`

/** How many schedules may lie inside one another, the outermost one included: far more than a schedule needs. */
export const maxLevels = 100

/** The kind of a schedule. TypeScript cannot see that the kind found under a schedule's own tag takes that schedule. */
const kindOf = (schedule: Schedule): Kind<Schedule> => kinds[schedule._tag] as Kind<Schedule>

/** Whether a value carries the tag of some kind. Its fields may still be unsound. */
export const isTagged = (value: unknown): value is Schedule =>
  hasProperty(value, "_tag") && typeof value._tag === "string" && Object.hasOwn(kinds, value._tag)

/** Whether schedules lie inside one another on more than so many levels. Never goes deeper than that itself. */
export const isDeeper = (value: unknown, levels: number): boolean =>
  isTagged(value) &&
  (levels === 0 ||
    Object.values<unknown>({ ...value })
      .flat()
      .some((part) => isDeeper(part, levels - 1)))

/**
 * Everything that is wrong with a value that should be a schedule of at most so many levels. This comes first, since
 * all other walks over a schedule take a step of the stack for each level.
 */
export const faults = (value: unknown, levels: number = maxLevels): ReadonlyArray<Fault> =>
  isDeeper(value, levels)
    ? [{ path: [], value, expected: `a schedule with at most ${levels} levels of schedules inside one another` }]
    : faultsInside(value)

const faultsInside = (value: unknown): ReadonlyArray<Fault> => {
  if (isTagged(value)) return within(nameOf(value._tag), kindOf(value).data.faults(value, faultsInside))
  if (hasProperty(value, "_tag")) return [{ path: ["_tag"], value: value._tag, expected: tags }]
  return [{ path: [], value, expected: `a schedule, an object whose _tag is ${tags}` }]
}

/** A copy of a value that is not too deep, in which all schedules have the defaults of what is left out. */
export const complete = (value: unknown): unknown =>
  isTagged(value) ? kindOf(value).data.complete(value, complete) : value

/** The value of a sound schedule at a step. */
export const evaluate = (schedule: Schedule, step: number): number => kindOf(schedule).at(schedule, step, evaluate)
