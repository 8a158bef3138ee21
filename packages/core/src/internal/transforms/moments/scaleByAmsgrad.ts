/** Adam's direction with a denominator that never shrinks. */
import { add, div, ema, type Expr, maximum, sqrt, square, zerosLike } from "../../../Expr.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, plain } from "../../transform/hyper.ts"
import { counting, type Counted, type SlotLists } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased } from "../../transform/words.ts"
import type { ScaleByAdamOptions } from "./scaleByAdam.ts"

/** What `scaleByAmsgrad` is made with. */
export interface ScaleByAmsgradOptions extends Omit<ScaleByAdamOptions, "nesterov"> {
  /** Correct the bias of the mean? Default true; the paper does not. */
  readonly biasCorrectionMu?: boolean | undefined
  /** Correct the bias of the mean square before its maximum is taken? Default true; the paper does not. */
  readonly biasCorrectionNu?: boolean | undefined
}

/** Two moments of the gradients, the largest second one so far, and how many gradients there were. */
export type AmsgradState = Counted & SlotLists<{ readonly mu: Expr; readonly nu: Expr; readonly nuMax: Expr }>

/**
 * AMSGrad's direction: Adam's, with the largest mean square so far in the denominator.
 *
 *     μ ← (1−b1)·g + b1·μ            μ̂ = μ / (1 − b1^t)
 *     ν ← (1−b2)·g² + b2·ν           ν̂ = ν / (1 − b2^t)
 *     νmax ← max(νmax, ν̂)
 *     u = μ̂ / (√(νmax + epsRoot) + eps)                           t = 1, 2, …
 *
 * The maximum is that of the corrected ν̂, as in Optax; PyTorch and Keras take that of ν, which is `biasCorrectionNu: false`.
 * State: `count`, `mu`, `nu`, `nuMax`, all zero at first. Throws `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1 and eps,
 * epsRoot ≥ 0. Source: Reddi, Kale & Kumar 2018; `optax.scale_by_amsgrad`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const amsgrad = Transform.scaleByAmsgrad({ b1: 0, eps: 0 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(amsgrad, { w: 4 }, yield* Transform.init(amsgrad, { w: 0 }))
 *   const second = yield* Transform.update(amsgrad, { w: 1 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0]?.toFixed(4))
 * })
 * // The second gradient, too, is divided by the size of the first.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["1.0000", "0.2500"])
 * ```
 */
export const scaleByAmsgrad = ({
  b1 = 0.9,
  b2 = 0.999,
  biasCorrectionMu = true,
  biasCorrectionNu = true,
  eps = 1e-8,
  epsRoot = 0
}: ScaleByAmsgradOptions = {}): Transform<AmsgradState> => {
  const name = "scaleByAmsgrad"
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative }
  const h = checked(name, { b1, b2, eps, epsRoot }, ranges)
  return counting({
    name,
    hyperParameters: plain({ ...h, biasCorrectionMu, biasCorrectionNu }),
    init: (p) => ({ mu: zerosLike(p), nu: zerosLike(p), nuMax: zerosLike(p) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const nu = ema(h.b2, state.nu, square(g))
      const muHat = biasCorrectionMu ? debiased(h.b1, mu, t) : mu
      const nuHat = biasCorrectionNu ? debiased(h.b2, nu, t) : nu
      const nuMax = maximum(state.nuMax, nuHat)
      return { update: div(muHat, add(sqrt(add(nuMax, h.epsRoot)), h.eps)), mu, nu, nuMax }
    }
  })
}
