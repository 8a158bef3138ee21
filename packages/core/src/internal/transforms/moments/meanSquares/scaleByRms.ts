/** Gradients scaled by the root of their mean square. */
import { add, div, ema, type Expr, fullLike, sqrt, square } from "../../../../Expr.ts"
import { decay as decayRange, nonNegative } from "../../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../../transform/hyper.ts"
import { counting, type Counted, type SlotLists } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"
import { debiased } from "../../../transform/words.ts"

/** What `scaleByRms` and `scaleByStddev` are made with. */
export interface ScaleByRmsOptions {
  /** The decay of the means, 0 ≤ decay < 1. Default 0.9. */
  readonly decay?: Hyper | undefined
  /** Keeps the denominator from zero, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
  /** What the mean square is before the first gradient, ≥ 0. Default 0. */
  readonly initialScale?: Hyper | undefined
  /** Add eps within the root? Default true; PyTorch adds it to the root. */
  readonly epsInSqrt?: boolean | undefined
  /** Divide the means by the weight that they have gathered? Default false. */
  readonly biasCorrection?: boolean | undefined
}

/** The mean of squared gradients, and how many there were. */
export type RmsState = Counted & SlotLists<{ readonly nu: Expr }>

/** What a gradient is divided by, given the square of its scale. */
export const rootOf = (epsInSqrt: boolean, eps: Hyper, squared: Expr): Expr =>
  epsInSqrt ? sqrt(add(squared, eps)) : add(sqrt(squared), eps)

/** The ranges of what both are made with. */
export const rmsRanges = { decay: decayRange, eps: nonNegative, initialScale: nonNegative }

/**
 * RMSProp's direction: the gradient, scaled per element by the root of its mean square.
 *
 *     ν ← (1−decay)·g² + decay·ν
 *     u = g / √(ν + eps),  or without `epsInSqrt`  g / (√ν + eps)
 *
 * With `biasCorrection`, ν / (1 − decay^t) stands in the place of ν; then, with eps outside the root, it is
 * `scaleByAdam` with b1 = 0, for half the memory. State: `count`, which is kept whether it is needed or not, and `nu`, at
 * first `initialScale`. Throws `InvalidHyperParameter` unless 0 ≤ decay < 1 and eps, initialScale ≥ 0.
 * Source: Tieleman & Hinton 2012; `optax.scale_by_rms`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const rms = Transform.scaleByRms({ decay: 0.75, eps: 0 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(rms, [1024, -8], yield* Transform.init(rms, [0, 0]))
 *   return updates.map((u) => u.dataSync()[0])
 * })
 * // The first update is 1/√(1−decay) in size, whatever the gradient's.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2, -2])
 * ```
 */
export const scaleByRms = ({
  biasCorrection = false,
  decay = 0.9,
  eps = 1e-8,
  epsInSqrt = true,
  initialScale = 0
}: ScaleByRmsOptions = {}): Transform<RmsState> => {
  const name = "scaleByRms"
  const h = checked(name, { decay, eps, initialScale }, rmsRanges)
  return counting({
    name,
    hyperParameters: plain({ ...h, epsInSqrt, biasCorrection }),
    init: (p) => ({ nu: fullLike(p, h.initialScale) }),
    update: (g, state, t) => {
      const nu = ema(h.decay, state.nu, square(g))
      const nuHat = biasCorrection ? debiased(h.decay, nu, t) : nu
      return { update: div(g, rootOf(epsInSqrt, h.eps, nuHat)), nu }
    }
  })
}
