/** Adam's direction, before the rate. */
import { add, div, ema, type Expr, sqrt, square, zerosLike } from "../../../Expr.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting, type Counted, type SlotLists } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased, lookedAhead } from "../../transform/words.ts"

/** What `scaleByAdam` is made with. */
export interface ScaleByAdamOptions {
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the mean of squared gradients, 0 ≤ b2 < 1. Default 0.999. */
  readonly b2?: Hyper | undefined
  /** Added to the root of the mean square, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
  /** Added to the mean square within the root, ≥ 0. Default 0. */
  readonly epsRoot?: Hyper | undefined
  /** Look one step ahead, as in Nadam? Default false. */
  readonly nesterov?: boolean | undefined
}

/** Two moments of the gradients, and how many there were. */
export type MomentsState = Counted & SlotLists<{ readonly mu: Expr; readonly nu: Expr }>

/**
 * Adam's direction: the mean gradient, scaled per element by the root of its mean square.
 *
 *     μ ← (1−b1)·g + b1·μ            μ̂ = μ / (1 − b1^t)
 *     ν ← (1−b2)·g² + b2·ν           ν̂ = ν / (1 − b2^t)
 *     u = μ̂ / (√(ν̂ + epsRoot) + eps)                              t = 1, 2, …
 *
 * With `nesterov`, `μ̂ = b1·μ/(1 − b1^(t+1)) + (1−b1)·g/(1 − b1^t)`. State: `count`, `mu`, `nu`, all zero at first. Throws
 * `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1 and eps, epsRoot ≥ 0.
 * Source: Kingma & Ba 2015; Dozat 2016 for `nesterov`; `optax.scale_by_adam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adam = Transform.scaleByAdam({ eps: 0 })
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(adam, [1000, -1e-6], yield* Transform.init(adam, [0, 0]))
 *   return updates.map((u) => u.dataSync()[0]?.toFixed(5))
 * })
 * // The first update is 1 in size, whatever the gradient's.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["1.00000", "-1.00000"])
 * ```
 */
export const scaleByAdam = ({
  b1 = 0.9,
  b2 = 0.999,
  eps = 1e-8,
  epsRoot = 0,
  nesterov = false
}: ScaleByAdamOptions = {}): Transform<MomentsState> => {
  const name = "scaleByAdam"
  const ranges = { b1: decay, b2: decay, eps: nonNegative, epsRoot: nonNegative }
  const h = checked(name, { b1, b2, eps, epsRoot }, ranges)
  const meanOf: typeof lookedAhead = nesterov ? lookedAhead : debiased
  return counting({
    name,
    hyperParameters: plain({ ...h, nesterov }),
    init: (p) => ({ mu: zerosLike(p), nu: zerosLike(p) }),
    update: (g, state, t) => {
      const mu = ema(h.b1, state.mu, g)
      const nu = ema(h.b2, state.nu, square(g))
      const muHat = meanOf(h.b1, mu, t, g)
      const nuHat = debiased(h.b2, nu, t)
      return { update: div(muHat, add(sqrt(add(nuHat, h.epsRoot)), h.eps)), mu, nu }
    }
  })
}
