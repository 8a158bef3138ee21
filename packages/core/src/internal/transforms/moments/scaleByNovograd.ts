/** NovoGrad's direction, before the rate. */
import { add, div, ema, type Expr, full, mul, sqrt, square, sum, zerosLike } from "../../../Expr.ts"
import { decay, finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { countingWithParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { choose, isFirst } from "../../transform/words.ts"
import type { MomentsState } from "./scaleByAdam.ts"

/** What `scaleByNovograd` is made with. */
export interface ScaleByNovogradOptions {
  /** The decay of the sum of scaled gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the mean of squared norms, 0 ≤ b2 < 1. Default 0.25. */
  readonly b2?: Hyper | undefined
  /** Added to the norm, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
  /** Added to the mean of squared norms within the root, ≥ 0. Default 0. */
  readonly epsRoot?: Hyper | undefined
  /** λ: the share of the parameter that is added to the scaled gradient. Default 0. */
  readonly weightDecay?: Hyper | undefined
}

/**
 * NovoGrad's direction: gradients scaled by the norm of their whole tensor, with decay of the weights, and momentum.
 *
 *     ν ← ‖g‖² in the first update, (1−b2)·‖g‖² + b2·ν later      one number for each tensor
 *     μ ← b1·μ + g / (√(ν + epsRoot) + eps) + λ·p
 *     u = μ
 *
 * State: `count`, `mu` and `nu`, whose leaves have shape [], all zero at first. Needs the parameters. Throws
 * `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1, eps, epsRoot ≥ 0 and λ is finite.
 * Source: Ginsburg et al. 2019; `optax.scale_by_novograd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const novograd = Transform.scaleByNovograd({ eps: 0 })
 * const program = Effect.gen(function*() {
 *   const params = { w: Float32Array.of(0, 0) }
 *   const state = yield* Transform.init(novograd, params)
 *   const { updates } = yield* Transform.update(novograd, { w: Float32Array.of(30, 40) }, state, { params })
 *   return Array.from(updates.w.dataSync(), (u) => u.toFixed(2))
 * })
 * // The first update has norm 1 and the direction of the gradient.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["0.60", "0.80"])
 * ```
 */
export const scaleByNovograd = ({
  b1 = 0.9,
  b2 = 0.25,
  eps = 1e-8,
  epsRoot = 0,
  weightDecay = 0
}: ScaleByNovogradOptions = {}): Transform<MomentsState, "params"> => {
  const name = "scaleByNovograd"
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative, weightDecay: finite }
  const h = checked(name, { b1, b2, eps, epsRoot, weightDecay }, ranges)
  return countingWithParams({
    name,
    hyperParameters: plain(h),
    init: (p): { mu: Expr; nu: Expr } => ({ mu: zerosLike(p), nu: full({ shape: [], dtype: p.dtype }, 0) }),
    update: (g, state, t, p) => {
      const squaredNorm = sum(square(g))
      const nu = choose(isFirst(t), squaredNorm, ema(h.b2, state.nu, squaredNorm))
      const scaled = add(div(g, add(sqrt(add(nu, h.epsRoot)), h.eps)), mul(h.weightDecay, p))
      const mu = add(mul(h.b1, state.mu), scaled)
      return { update: mu, mu, nu }
    }
  })
}
