/**
 * Schedules: the step size as a function of the step, written down as data.
 *
 * A schedule is a plain tagged object, so it can be compared, printed, stored with a checkpoint and sent over a
 * wire; `at` gives it its meaning, in float64. Everything that takes a schedule also takes a number or a function of
 * the step (`StepSize`). Steps are counted from 0; which step it is, the caller says. The codec lives in
 * `ScheduleSchema`, so that evaluating a schedule does not load it.
 */
import { dual } from "effect/Function"
import { evaluate, faults, isTagged } from "./internal/catalogue.ts"
import type { Clamp } from "./internal/kinds/combined/clamp.ts"
import type { Join } from "./internal/kinds/combined/join.ts"
import type { Scale } from "./internal/kinds/combined/scale.ts"
import type { Constant } from "./internal/kinds/curves/constant.ts"
import type { CosineDecaySchedule } from "./internal/kinds/curves/cosineDecaySchedule.ts"
import type { ExponentialDecay } from "./internal/kinds/curves/exponentialDecay.ts"
import type { InverseTimeDecay } from "./internal/kinds/curves/inverseTimeDecay.ts"
import type { LinearSchedule } from "./internal/kinds/curves/linearSchedule.ts"
import type { PolynomialDecay } from "./internal/kinds/curves/polynomialDecay.ts"
import type { PolynomialSchedule } from "./internal/kinds/curves/polynomialSchedule.ts"
import type { CosineOnecycleSchedule } from "./internal/kinds/piecewise/cosineOnecycleSchedule.ts"
import type { LinearOnecycleSchedule } from "./internal/kinds/piecewise/linearOnecycleSchedule.ts"
import type { PiecewiseConstant } from "./internal/kinds/piecewise/piecewiseConstant.ts"
import type { PiecewiseConstantSchedule } from "./internal/kinds/piecewise/piecewiseConstantSchedule.ts"
import type { PiecewiseInterpolateSchedule } from "./internal/kinds/piecewise/piecewiseInterpolateSchedule.ts"
import type { SgdrSchedule } from "./internal/kinds/warmup/sgdrSchedule.ts"
import type { WarmupConstantSchedule } from "./internal/kinds/warmup/warmupConstantSchedule.ts"
import type { WarmupCosineDecaySchedule } from "./internal/kinds/warmup/warmupCosineDecaySchedule.ts"
import type { WarmupExponentialDecaySchedule } from "./internal/kinds/warmup/warmupExponentialDecaySchedule.ts"
import { lift, refuseStepSize } from "./internal/lift.ts"

/** A step size that depends on the step, as data. Each member is made by the function of its name. */
export type Schedule =
  | Constant
  | ExponentialDecay
  | InverseTimeDecay
  | PolynomialDecay
  | PolynomialSchedule
  | LinearSchedule
  | CosineDecaySchedule
  | PiecewiseConstant
  | PiecewiseConstantSchedule
  | PiecewiseInterpolateSchedule
  | LinearOnecycleSchedule
  | CosineOnecycleSchedule
  | WarmupConstantSchedule
  | WarmupCosineDecaySchedule
  | WarmupExponentialDecaySchedule
  | SgdrSchedule
  | Join
  | Scale
  | Clamp

/** A step size that depends on the step, as a function: for what no data can say. It cannot be written to JSON. */
export type ScheduleFunction = (step: number) => number

/** Whatever can stand for a step size: a number, a schedule, or a function of the step. */
export type StepSize = number | Schedule | ScheduleFunction

/**
 * Whether a value is a schedule as data, sound through all its levels. Numbers and functions are not.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * assert.strictEqual(Schedules.isSchedule(Schedules.constant(0.1)), true)
 * assert.strictEqual(Schedules.isSchedule({ _tag: "Constant", stepSize: Number.NaN }), false)
 * assert.strictEqual(Schedules.isSchedule(() => 0.1), false)
 * ```
 */
export const isSchedule = (value: unknown): value is Schedule => isTagged(value) && faults(value).length === 0

/**
 * The function of the step that a step size stands for: a number is constant, a function is returned as it is, a
 * schedule is evaluated. Everything is checked once, here, also data that was written by hand.
 *
 * Throws `InvalidSchedule` for an unsound schedule, a number that is not finite, and anything else.
 * Source: `make_schedule` of `jax.example_libraries.optimizers` (which raises a TypeError).
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const halving = (step: number) => 0.5 ** step
 * assert.strictEqual(Schedules.make(halving), halving)
 * assert.strictEqual(Schedules.make(0.1)(1000), 0.1)
 * assert.strictEqual(Schedules.make(Schedules.scale(halving, 3))(1), 1.5)
 * ```
 */
export const make = (stepSize: StepSize): ScheduleFunction => {
  const lifted = lift("make", ["stepSize"], stepSize)
  return typeof lifted === "function" ? lifted : (step) => evaluate(lifted, step)
}

/**
 * The value of a step size at a step. The formulas hold for any number; steps are non-negative integers.
 *
 * A schedule is taken to be sound, as the constructors, the codec and `make` leave it. Throws `InvalidSchedule` for
 * what is no step size at all. Data-first and data-last.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { pipe } from "effect/Function"
 * import * as Schedules from "@optim/schedules"
 *
 * const warmUp = Schedules.polynomialDecay({ stepSize: 0, decaySteps: 4, finalStepSize: 1 })
 * assert.strictEqual(Schedules.at(warmUp, 3), 0.75)
 * assert.strictEqual(pipe(warmUp, Schedules.at(3)), 0.75)
 * ```
 */
export const at: {
  (step: number): (schedule: StepSize) => number
  (schedule: StepSize, step: number): number
} = dual(2, (schedule: StepSize, step: number): number => {
  if (typeof schedule === "function") return schedule(step)
  if (typeof schedule === "number") return schedule
  return isTagged(schedule) ? evaluate(schedule, step) : refuseStepSize("at", ["schedule"], schedule)
})
