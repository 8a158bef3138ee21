/** `cosineDecaySchedule`: the value falls along half a wave of the cosine. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"

/** The value falls from `initValue` to `alpha · initValue` along half a wave of the cosine. */
export interface CosineDecaySchedule {
  readonly _tag: "CosineDecaySchedule"
  readonly initValue: number
  readonly decaySteps: number
  readonly alpha: number
  readonly exponent: number
}

/** What `cosineDecaySchedule` is made from. */
export interface CosineDecayScheduleOptions {
  /** The value at step 0. */
  readonly initValue: number
  /** The number of steps until the last value is reached. Above 0. */
  readonly decaySteps: number
  /** The last value as a fraction of the first. Default 0. */
  readonly alpha?: number | undefined
  /** The power to which the half wave, which runs from 1 to 0, is raised. 0 or more. Default 1. */
  readonly exponent?: number | undefined
}

/** The value at a step, for data of this kind and for whatever ends in such a decay. */
export const annealed = (
  { alpha, decaySteps, exponent, initValue }: Omit<CosineDecaySchedule, "_tag">,
  step: number
): number => {
  const halfWave = 0.5 * (1 + Math.cos((Math.PI * Math.min(step, decaySteps)) / decaySteps))
  return initValue * ((1 - alpha) * halfWave ** exponent + alpha)
}

export const kind = define<CosineDecaySchedule>({
  tag: "CosineDecaySchedule",
  fields: { initValue: Rule.finite, decaySteps: Rule.positive, alpha: Rule.finite, exponent: Rule.nonNegative },
  defaults: { alpha: 0, exponent: 1 },
  at: annealed
})

/**
 * Cosine decay: the value falls along half a wave of the cosine, then stays.
 *
 *     c = ½ · (1 + cos(π · min(t, decaySteps) / decaySteps))
 *     at(t) = initValue · ((1 − alpha) · c^exponent + alpha)
 *
 * With `exponent` 0 the value is `initValue` throughout, as 0⁰ = 1. Throws `InvalidSchedule` unless `initValue` and
 * `alpha` are finite, `decaySteps` > 0 and `exponent` >= 0.
 * Source: Loshchilov & Hutter 2017, SGDR, without the restarts; `cosine_decay_schedule` of Optax.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const schedule = Schedules.cosineDecaySchedule({ initValue: 2, decaySteps: 10, alpha: 0.5 })
 * assert.deepStrictEqual([0, 5, 10, 99].map((step) => Schedules.at(schedule, step)), [2, 1.5, 1, 1])
 *
 * // what it has lost near the start it loses near the end: the curve turns around its middle
 * assert.ok(Math.abs(Schedules.at(schedule, 2) + Schedules.at(schedule, 8) - 3) < 1e-12)
 * ```
 */
export const cosineDecaySchedule = (options: CosineDecayScheduleOptions): CosineDecaySchedule =>
  construct(kind, options)
