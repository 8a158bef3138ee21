/** Rectified Adam's direction, before the rate. */
import { add, div, ema, mul, pow, sqrt, square, sub, zerosLike } from "../../../Expr.ts"
import * as Scalar from "../../../Scalar.ts"
import { decay, finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { choose, debiased, lookedAhead } from "../../transform/words.ts"
import type { MomentsState, ScaleByAdamOptions } from "./scaleByAdam.ts"

/** What `scaleByRadam` is made with. */
export interface ScaleByRadamOptions extends ScaleByAdamOptions {
  /** The length of the average from which on its variance is trusted, ≥ 4 to make sense. Default 5. */
  readonly threshold?: Hyper | undefined
}

/** The length of an average of infinitely many values. */
const longest = (b2: Hyper): Scalar.Scalar => sub(div(2, sub(1, b2)), 1)

/** The length of a simple average that is worth as much as this one after t values. */
const lengthAt = (b2: Hyper, t: Scalar.Scalar): Scalar.Scalar =>
  sub(longest(b2), div(mul(2, mul(t, pow(b2, t))), sub(1, pow(b2, t))))

/** By how much the variance of the step is too large while the average is short. */
const rectification = (b2: Hyper, rho: Scalar.Scalar): Scalar.Scalar => {
  const rhoInf = longest(b2)
  const above = mul(mul(sub(rho, 4), sub(rho, 2)), rhoInf)
  const below = mul(mul(sub(rhoInf, 4), sub(rhoInf, 2)), rho)
  return sqrt(div(above, below))
}

const isNonNegative: Scalar.Compute = (x = Number.NaN) => (x >= 0 ? 1 : 0)

/** Is the average long enough for its variance to be known? */
const reaches = (rho: Scalar.Scalar, threshold: Hyper): Scalar.Scalar =>
  Scalar.apply("isNonNegative", isNonNegative, sub(rho, threshold))

/**
 * Rectified Adam's direction: the mean gradient alone until the mean square is known well enough, then Adam's, by a factor
 * that makes up for what is not known yet.
 *
 *     μ ← (1−b1)·g + b1·μ            μ̂ = μ / (1 − b1^t)
 *     ν ← (1−b2)·g² + b2·ν           ν̂ = ν / (1 − b2^t)
 *     ρ∞ = 2/(1−b2) − 1              ρ = ρ∞ − 2t·b2^t/(1 − b2^t)
 *     r = √( (ρ−4)·(ρ−2)·ρ∞ / ((ρ∞−4)·(ρ∞−2)·ρ) )
 *     u = r·μ̂ / (√(ν̂ + epsRoot) + eps)  if ρ ≥ threshold,  μ̂ else    t = 1, 2, …
 *
 * With `nesterov`, `μ̂ = b1·μ/(1 − b1^(t+1)) + (1−b1)·g/(1 − b1^t)`. State: `count`, `mu`, `nu`, all zero at first. With a
 * threshold below 4 the root is that of a negative number, and the updates are NaN until ρ is 4. Throws
 * `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1, eps, epsRoot ≥ 0 and the threshold is finite.
 * Source: Liu et al. 2020, Algorithm 2; `optax.scale_by_radam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const radam = Transform.scaleByRadam()
 * const program = Effect.gen(function*() {
 *   let { state, updates } = yield* Transform.update(radam, { w: 1000 }, yield* Transform.init(radam, { w: 0 }))
 *   const sizes = [updates.w.dataSync()[0] ?? 0]
 *   for (let t = 2; t <= 6; t++) {
 *     ;({ state, updates } = yield* Transform.update(radam, { w: 1000 }, state))
 *     sizes.push(updates.w.dataSync()[0] ?? 0)
 *   }
 *   return sizes.map((size) => (size > 1 ? "mean" : "scaled"))
 * })
 * // The mean square of five gradients is not trusted.
 * assert.deepStrictEqual(
 *   await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))),
 *   ["mean", "mean", "mean", "mean", "mean", "scaled"]
 * )
 * ```
 */
export const scaleByRadam = ({
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-8,
  epsRoot = 0,
  nesterov = false,
  threshold = 5
}: ScaleByRadamOptions = {}): Transform<MomentsState> => {
  const name = "scaleByRadam"
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative, threshold: finite }
  const h = checked(name, { b1, b2, eps, epsRoot, threshold }, ranges)
  const meanOf: typeof lookedAhead = nesterov ? lookedAhead : debiased
  return counting({
    name,
    hyperParameters: plain({ ...h, nesterov }),
    init: (p) => ({ mu: zerosLike(p), nu: zerosLike(p) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const nu = ema(h.b2, state.nu, square(g))
      const [muHat, nuHat] = [meanOf(h.b1, mu, t, g), debiased(h.b2, nu, t)]
      const rho = lengthAt(h.b2, t)
      const scaled = div(mul(rectification(h.b2, rho), muHat), add(sqrt(add(nuHat, h.epsRoot)), h.eps))
      return { update: choose(reaches(rho, h.threshold), scaled, muHat), mu, nu }
    }
  })
}
