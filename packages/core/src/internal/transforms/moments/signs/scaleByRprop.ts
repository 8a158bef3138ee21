/** Resilient propagation: a step size for each element. */
import {
  equal,
  type Expr,
  fullLike,
  greater,
  less,
  maximum,
  minimum,
  mul,
  sign,
  where,
  zerosLike
} from "../../../../Expr.ts"
import { atLeast, bound, mass, nonNegative } from "../../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../../transform/hyper.ts"
import { type SlotLists, withSlots } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"

/** What `scaleByRprop` is made with. */
export interface ScaleByRpropOptions {
  /** η: the step size of every element at first, a number ≥ 0. */
  readonly learningRate: Hyper
  /** η⁻: the factor where the gradient changes its sign, 0 ≤ η⁻ ≤ 1. Default 0.5. */
  readonly etaMinus?: Hyper | undefined
  /** η⁺: the factor where it keeps its sign, ≥ 1. Default 1.2. */
  readonly etaPlus?: Hyper | undefined
  /** The smallest step size, ≥ 0. Default 1e-6. */
  readonly minStepSize?: Hyper | undefined
  /** The largest step size, at least the smallest. Default 50. */
  readonly maxStepSize?: Hyper | undefined
  /** Give the update of the step before, as Optax does? Default true; false gives the paper's. */
  readonly delayed?: boolean | undefined
}

/** The step size of each element, and its last signed step. */
export type RpropState = SlotLists<{ readonly stepSizes: Expr; readonly prevUpdates: Expr }>

/**
 * Resilient propagation: steps in the direction of the gradient's sign, whose sizes grow while the sign stays and shrink
 * when it changes.
 *
 *     s = g·v                                      (v: the signed step before, zero at first)
 *     Δ ← Δ if s = 0,  clip(η⁺·Δ) if s > 0,  clip(η⁻·Δ) if s < 0     between minStepSize and maxStepSize
 *     v ← 0 where s < 0,  Δ·sign(g) elsewhere
 *     u = v₋₁ where s ≥ 0, 0 elsewhere             or, with `delayed: false`,  u = v
 *
 * Optax gives the step of the update before: its first update is zero, and each later one is a step late. This is the
 * default here, so that trajectories agree; `delayed: false` is the rule of the paper (Rprop⁻ without the way back).
 * State: `stepSizes`, at first η, and `prevUpdates`, zero at first. Made for gradients of all data, not of batches. Throws
 * `InvalidHyperParameter` unless η ≥ 0, 0 ≤ η⁻ ≤ 1 ≤ η⁺ and 0 ≤ minStepSize ≤ maxStepSize.
 * Source: Riedmiller & Braun 1993; Igel & Hüsken 2003, iRprop⁻; `optax.scale_by_rprop`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const rprop = Transform.scaleByRprop({ learningRate: 0.5, etaPlus: 2, delayed: false })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(rprop, { w: 7 }, yield* Transform.init(rprop, { w: 0 }))
 *   const second = yield* Transform.update(rprop, { w: 0.1 }, first.state)
 *   const third = yield* Transform.update(rprop, { w: -9 }, second.state)
 *   return [first, second, third].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * // The sign counts, not the size: the step doubles, and stops where the sign changes.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0.5, 1, 0])
 * ```
 */
export const scaleByRprop = ({
  delayed = true,
  etaMinus = 0.5,
  etaPlus = 1.2,
  learningRate,
  maxStepSize = 50,
  minStepSize = 1e-6
}: ScaleByRpropOptions): Transform<RpropState> => {
  const name = "scaleByRprop"
  const ranges = {
    learningRate: nonNegative,
    etaMinus: mass,
    etaPlus: atLeast(1),
    minStepSize: nonNegative,
    maxStepSize: typeof minStepSize === "number" ? atLeast(minStepSize) : bound
  }
  const h = checked(name, { learningRate, etaMinus, etaPlus, minStepSize, maxStepSize }, ranges)
  const clip = (size: Expr): Expr => minimum(maximum(size, h.minStepSize), h.maxStepSize)
  return withSlots({
    name,
    hyperParameters: plain({ ...h, delayed }),
    init: (p) => ({ stepSizes: fullLike(p, h.learningRate), prevUpdates: zerosLike(p) }),
    update: (g, state) => {
      const s = mul(g, state.prevUpdates)
      const changed = clip(mul(state.stepSizes, where(greater(s, 0), h.etaPlus, h.etaMinus)))
      const stepSizes = where(equal(s, 0), state.stepSizes, changed)
      const prevUpdates = where(less(s, 0), 0, mul(stepSizes, sign(g)))
      return { update: delayed ? where(less(s, 0), 0, state.prevUpdates) : prevUpdates, stepSizes, prevUpdates }
    }
  })
}
