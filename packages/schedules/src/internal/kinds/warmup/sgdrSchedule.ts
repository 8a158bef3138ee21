/** `sgdrSchedule`: warm restarts, one cycle of warm-up and cosine decay after another. */
import { construct, define } from "../../Kind.ts"
import * as Rule from "../../Rule.ts"
import { type Cycle, cycle, cycleAt, type WarmupCosineDecayScheduleOptions } from "./warmupCosineDecaySchedule.ts"

/** Cycles of warm-up and cosine decay, one after another. */
export interface SgdrSchedule {
  readonly _tag: "SgdrSchedule"
  readonly cycles: ReadonlyArray<Cycle>
}

/** What `sgdrSchedule` is made from. */
export interface SgdrScheduleOptions {
  /** The cycles, at least one: each as for `warmupCosineDecaySchedule`, over after its `decaySteps`. */
  readonly cycles: ReadonlyArray<WarmupCosineDecayScheduleOptions>
}

export const kind = define<SgdrSchedule>({
  tag: "SgdrSchedule",
  fields: { cycles: Rule.list(Rule.struct<Cycle>(cycle.fields, cycle)) },
  relations: ({ cycles }) =>
    cycles.length > 0 ? [] : [{ path: ["cycles"], value: cycles, expected: "at least one cycle" }],
  at: ({ cycles }, step) => {
    let start = 0
    let current = cycles[0] as Cycle // sound data has a cycle
    for (const next of cycles.slice(1)) {
      if (step < start + current.decaySteps) break
      start += current.decaySteps
      current = next
    }
    return cycleAt(current, step - start)
  }
})

/**
 * Stochastic gradient descent with warm restarts: cycles of warm-up and cosine decay, each counting its steps from 0.
 *
 *     bᵢ = sum of the decaySteps of the cycles before cycle i
 *     at(t) = warmupCosineDecaySchedule(cycles[i]) at t − bᵢ          for the last i with bᵢ <= t
 *
 * The last cycle's end value stays. Throws `InvalidSchedule` unless there is a cycle and each is sound.
 * Source: Loshchilov & Hutter 2017, SGDR; `sgdr_schedule` of Optax, which calls the cycles `cosine_kwargs`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * const cycle = { initValue: 0, warmupSteps: 2, decaySteps: 6 }
 * const schedule = Schedules.sgdrSchedule({ cycles: [{ ...cycle, peakValue: 1 }, { ...cycle, peakValue: 0.5 }] })
 * const steps = [0, 2, 4, 6, 8, 10, 12, 99]
 * assert.deepStrictEqual(steps.map((step) => Schedules.at(schedule, step)), [0, 1, 0.5, 0, 0.5, 0.25, 0, 0])
 * ```
 */
export const sgdrSchedule = (options: SgdrScheduleOptions): SgdrSchedule => construct(kind, options)
