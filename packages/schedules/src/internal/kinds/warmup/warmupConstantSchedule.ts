/** `warmupConstantSchedule`: a warm-up to a value that then stays. */
import { polynomial } from "../../curves.ts"
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** From `initValue` on a straight line to `peakValue`, which stays. */
export interface WarmupConstantSchedule {
  readonly _tag: "WarmupConstantSchedule"
  readonly initValue: number
  readonly peakValue: number
  readonly warmupSteps: number
}

/** What `warmupConstantSchedule` is made from. */
export interface WarmupConstantScheduleOptions {
  /** The value at step 0. */
  readonly initValue: number
  /** The value from step `warmupSteps` on. */
  readonly peakValue: number
  /** The number of steps of the warm-up. 0 or more; 0 is no warm-up, `peakValue` from step 0 on. */
  readonly warmupSteps: number
}

/** A straight line from `initValue` to `peakValue`; then what follows, with its own steps counted from 0. */
export const warmedUp = (
  { initValue, peakValue, warmupSteps }: Omit<WarmupConstantSchedule, "_tag">,
  step: number,
  then: (step: number) => number
): number => (step < warmupSteps ? polynomial(initValue, peakValue, 1, step / warmupSteps) : then(step - warmupSteps))

/** The fields that say how to warm up, for whatever begins so. */
export const warmupFields = { initValue: Rule.finite, peakValue: Rule.finite, warmupSteps: Rule.nonNegative }

export const kind = define<WarmupConstantSchedule>({
  tag: "WarmupConstantSchedule",
  fields: warmupFields,
  at: (self, step) => warmedUp(self, step, () => self.peakValue)
})

/**
 * A warm-up on a straight line, then the same value at every step.
 *
 *     at(t) = (initValue − peakValue) · (1 − t / warmupSteps) + peakValue        while t < warmupSteps
 *     at(t) = peakValue                                                          from there on
 *
 * Throws `InvalidSchedule` unless both values are finite and `warmupSteps` >= 0.
 * Source: `warmup_constant_schedule` of Optax, except that `warmup_steps` of 0 keep its value at `init_value` for ever.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.warmupConstantSchedule({ initValue: 0, peakValue: 1, warmupSteps: 4 })
 * assert.deepStrictEqual([0, 1, 2, 3, 4, 99].map((step) => Schedules.at(schedule, step)), [0, 0.25, 0.5, 0.75, 1, 1])
 * ```
 */
export const warmupConstantSchedule = (options: WarmupConstantScheduleOptions): WarmupConstantSchedule =>
  construct(kind, options)
