/** Yogi's direction, before the rate. */
import { add, div, ema, fullLike, mul, sign, sqrt, square, sub } from "../../../Expr.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased } from "../../transform/words.ts"
import type { MomentsState } from "./scaleByAdam.ts"

/** What `scaleByYogi` is made with. */
export interface ScaleByYogiOptions {
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** 1 − b2 is the share of g² by which the second moment changes, 0 ≤ b2 < 1. Default 0.999. */
  readonly b2?: Hyper | undefined
  /** Added to the root, ≥ 0. Default 1e-3. */
  readonly eps?: Hyper | undefined
  /** Added to the second moment within the root, ≥ 0. Default 0. */
  readonly epsRoot?: Hyper | undefined
  /** What both moments are before the first update, ≥ 0. Default 1e-6. */
  readonly initialAccumulatorValue?: Hyper | undefined
}

/**
 * Yogi's direction: Adam's, with a second moment that goes towards g² in steps of the size of g², not of its distance.
 *
 *     μ ← (1−b1)·g + b1·μ                          μ̂ = μ / (1 − b1^t)
 *     ν ← ν − (1−b2)·sign(ν − g²)·g²               ν̂ = ν / (1 − b2^t)
 *     u = μ̂ / (√(ν̂ + epsRoot) + eps)                              t = 1, 2, …
 *
 * State: `count`, `mu`, `nu`; both moments start at `initialAccumulatorValue` and are divided by their weights all the
 * same, as in Optax. Throws `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1 and the others are ≥ 0.
 * Source: Zaheer et al. 2018; `optax.scale_by_yogi`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const yogi = Transform.scaleByYogi({ b2: 0.5, initialAccumulatorValue: 100 })
 * const program = Effect.gen(function*() {
 *   const { state } = yield* Transform.update(yogi, { w: 2 }, yield* Transform.init(yogi, { w: 0 }))
 *   return state.nu.w.dataSync()[0]
 * })
 * // However far the second moment is from g² = 4, it changes by (1−b2)·4; an average would be half way down already.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 98)
 * ```
 */
export const scaleByYogi = ({
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-3,
  epsRoot = 0,
  initialAccumulatorValue = 1e-6
}: ScaleByYogiOptions = {}): Transform<MomentsState> => {
  const name = "scaleByYogi"
  const values = { b1, b2, eps, epsRoot, initialAccumulatorValue }
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative, initialAccumulatorValue: nonNegative }
  const h = checked(name, values, ranges)
  return counting({
    name,
    hyperParameters: plain(h),
    init: (p) => ({ mu: fullLike(p, h.initialAccumulatorValue), nu: fullLike(p, h.initialAccumulatorValue) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const difference = mul(sign(sub(state.nu, square(g))), square(g))
      const nu = sub(state.nu, mul(sub(1, h.b2), difference))
      const [muHat, nuHat] = [debiased(h.b1, mu, t), debiased(h.b2, nu, t)]
      return { update: div(muHat, add(sqrt(add(nuHat, h.epsRoot)), h.eps)), mu, nu }
    }
  })
}
