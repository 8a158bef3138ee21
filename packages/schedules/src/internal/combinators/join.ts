/** `join`: schedules one after another. */
import { at, type StepSize } from "../../Schedule.ts"
import { refuseAny } from "../Kind.ts"
import { type Join, layoutFaults, phaseAt } from "../kinds/combined/join.ts"
import { type Combined, liftPart } from "../lift.ts"

/** What `join` is made from. */
export interface JoinOptions<S extends StepSize> {
  /** One schedule more than there are boundaries. */
  readonly schedules: ReadonlyArray<S>
  /** The first step of each schedule but the first: non-negative integers in ascending order. */
  readonly boundaries: ReadonlyArray<number>
}

/**
 * Schedules one after another; each counts its own steps from 0.
 *
 *     at(t) = schedules[0](t)              while t < boundaries[0]
 *     at(t) = schedules[i](t − b)          with b = boundaries[i − 1], the last boundary with b <= t
 *
 * The next schedule takes over *at* its boundary. (`piecewiseConstant` switches a step after its boundary.) Equal
 * boundaries skip a schedule. Schedules and numbers give data; with a function among them it is a function.
 * Throws `InvalidSchedule` unless the boundaries are non-negative integers in ascending order, there is one schedule
 * more, and each schedule is sound.
 * Source: `join_schedules` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.join({
 *   schedules: [
 *     Schedules.polynomialDecay({ stepSize: 0, decaySteps: 2, finalStepSize: 1 }),
 *     Schedules.exponentialDecay({ stepSize: 1, decaySteps: 1, decayRate: 0.5 })
 *   ],
 *   boundaries: [2]
 * })
 * assert.deepStrictEqual([0, 1, 2, 3, 4].map((step) => Schedules.at(schedule, step)), [0, 0.5, 1, 0.5, 0.25])
 * ```
 */
export const join = <const S extends StepSize>({ boundaries, schedules }: JoinOptions<S>): Combined<S, Join> =>
  joined(boundaries, schedules) as Combined<S, Join> // a function among the parts gives the function, else the data

const joined = (boundaries: ReadonlyArray<number>, schedules: ReadonlyArray<StepSize>): Combined<StepSize, Join> => {
  refuseAny("join", layoutFaults(boundaries, schedules))
  const starts = [...boundaries]
  const parts = schedules.map((schedule, index) => liftPart("join", ["schedules", index], schedule))
  if (parts.every((part) => typeof part !== "function")) return { _tag: "Join", boundaries: starts, schedules: parts }
  return (step) => {
    const { index, start } = phaseAt(starts, step)
    return at(parts[index] as StepSize, step - start) // there is one part more than boundaries
  }
}
