/** Parameters that follow others: in small steps, or from time to time. */
import * as Effect from "effect/Effect"
import { add, mul, sub } from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { attempt } from "../attempt.ts"
import { check, count, every, finite } from "../optimizer/hyperParameters.ts"
import { called, type Symbols, treeOf } from "./onTrees.ts"
import type { Like, Made } from "./types.ts"

const words = called(
  "Pass trees of one structure, with leaves of the same shapes.",
  "the new tensors",
  "the old tensors"
)

/** How `incrementalUpdate` steps. */
export interface IncrementalUpdateOptions {
  /** The share of the new tensors, usually between 0 and 1. */
  readonly stepSize: number
  /** Give the old tensors away: they must not be used again, and their memory serves the result. */
  readonly donate?: boolean | undefined
}

const step = treeOf({
  operation: "Transform.incrementalUpdate",
  numbers: { stepSize: finite },
  words,
  trace: ({ stepSize }, fresh: Symbols, old: Symbols) =>
    Leaves.map(fresh, old, (a, b) => add(mul(stepSize, a), mul(sub(1, stepSize), b)))
})

/**
 * A step from old tensors to new ones: `stepSize·new + (1 − stepSize)·old`, leaf by leaf.
 *
 * Applied to parameters after every update it keeps their moving average (Polyak & Juditsky 1992), or the slowly following
 * copy of a network. The result is new and belongs to the caller; with `donate` it takes the place of the old tensors. Fails
 * with `InvalidHyperParameter` unless stepSize is finite, and where the trees do not fit. Source: `optax.incremental_update`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(Transform.incrementalUpdate({ w: 8 }, { w: 4 }, { stepSize: 0.25 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 5)
 * ```
 */
export const incrementalUpdate = <P>(
  newTensors: P,
  oldTensors: Like<P>,
  { donate = false, stepSize }: IncrementalUpdateOptions
): Made<P> =>
  // The structure of the first with a tensor for every leaf.
  step({ trees: [newTensors, oldTensors], numbers: { stepSize }, donate: donate ? "others" : false }) as Made<P>

/** When `periodicUpdate` takes the new tensors. */
export interface PeriodicUpdateOptions {
  /** How many steps there have been. */
  readonly steps: number
  /** After how many steps the new tensors are taken, ≥ 1. */
  readonly updatePeriod: number
}

const operation = "Transform.periodicUpdate"
const takeNew = treeOf({ operation, words, trace: (_, fresh: Symbols, __: Symbols) => fresh })
const takeOld = treeOf({ operation, words, trace: (_, __: Symbols, old: Symbols) => old })

/**
 * The new tensors if the number of steps is a multiple of the period, the old ones if not.
 *
 * The result belongs to the caller and shares its numbers with what was chosen: nothing is copied. Fails with
 * `InvalidHyperParameter` unless steps is an integer ≥ 0 and updatePeriod one ≥ 1, and where the trees do not fit.
 * Source: `optax.periodic_update`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const after = (steps: number) =>
 *   Effect.map(Transform.periodicUpdate({ w: 8 }, { w: 4 }, { steps, updatePeriod: 3 }), ({ w }) => w.dataSync()[0])
 * const program = Effect.all([after(5), after(6)])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [4, 8])
 * ```
 */
export const periodicUpdate = <P>(
  newTensors: P,
  oldTensors: Like<P>,
  { steps, updatePeriod }: PeriodicUpdateOptions
): Made<P> =>
  Effect.flatMap(
    attempt(() => check(operation, { steps, updatePeriod }, { steps: count, updatePeriod: every })),
    () => {
      const take = steps % updatePeriod === 0 ? takeNew : takeOld
      // The structure of the first with a tensor for every leaf.
      return take({ trees: [newTensors, oldTensors] }) as Made<P>
    }
  )
