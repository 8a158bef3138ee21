/** Adan's direction, before the rate. */
import { add, div, ema, type Expr, mul, sqrt, square, sub, zerosLike } from "../../../Expr.ts"
import type { Scalar } from "../../../Scalar.ts"
import { decay, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { increment, type SlotLists, withNumbers, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { choose, debiased, isFirst } from "../../transform/words.ts"

/** What `scaleByAdan` is made with. */
export interface ScaleByAdanOptions {
  /** The decay of the mean of gradients, 0 ≤ b1 < 1. Default 0.98. */
  readonly b1?: Hyper | undefined
  /** The decay of the mean of differences of gradients, 0 ≤ b2 < 1. Default 0.92. */
  readonly b2?: Hyper | undefined
  /** The decay of the mean square, 0 ≤ b3 < 1. Default 0.99. */
  readonly b3?: Hyper | undefined
  /** Added to the root, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
  /** Added to the mean square within the root, ≥ 0. Default 0. */
  readonly epsRoot?: Hyper | undefined
}

/** Means of gradients, of their differences and of squares, the gradient before, and how many there were. */
export type AdanState = { readonly t: Scalar } & SlotLists<{
  readonly m: Expr
  readonly v: Expr
  readonly n: Expr
  readonly g: Expr
}>

/**
 * Adan's direction: Nesterov's momentum by differences of gradients, scaled per element by the root of a mean square.
 *
 *     d = g − g₋₁                                  (0 in the first update)
 *     m ← (1−b1)·g + b1·m                          m̂ = m / (1 − b1^t)
 *     v ← (1−b2)·d + b2·v                          v̂ = v / (1 − b2^t)
 *     n ← (1−b3)·(g + (1−b2)·d)² + b3·n            n̂ = n / (1 − b3^t)
 *     u = (m̂ + (1−b2)·v̂) / (√(n̂ + epsRoot) + eps)                t = 1, 2, …
 *
 * The paper's β are the complements of b1, b2 and b3. State: `t`, `m`, `v`, `n` and the gradient before, `g`, all zero at
 * first. Throws `InvalidHyperParameter` unless 0 ≤ b1, b2, b3 < 1 and eps, epsRoot ≥ 0.
 * Source: Xie et al. 2022, Algorithm 1; `optax.scale_by_adan`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adan = Transform.scaleByAdan({ b1: 0.5, b2: 0.5, b3: 0.5 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(adan, { w: 1 }, yield* Transform.init(adan, { w: 0 }))
 *   const { state } = yield* Transform.update(adan, { w: 5 }, first.state)
 *   return [state.m, state.v, state.n].map(({ w }) => w.dataSync()[0])
 * })
 * // Gradients 1 and 5 differ by 4: means of 1, 5; of 0, 4; of 1², (5 + 4/2)².
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2.75, 2, 24.75])
 * ```
 */
export const scaleByAdan = ({
  b1 = 0.98,
  b2 = 0.92,
  b3 = 0.99,
  eps = 1e-8,
  epsRoot = 0
}: ScaleByAdanOptions = {}): Transform<AdanState> => {
  const name = "scaleByAdan"
  const ranges = { b1: decay, b2: decay, b3: decay, eps: nonNegative, epsRoot: nonNegative }
  const h = checked(name, { b1, b2, b3, eps, epsRoot }, ranges)
  return withNumbers({
    name,
    hyperParameters: plain(h),
    numbers: { t: zero },
    next: ({ t }) => ({ t: increment(t) }),
    init: (p) => ({ m: zerosLike(p), v: zerosLike(p), n: zerosLike(p), g: zerosLike(p) }),
    update: (g, state, { t: before }) => {
      const t = increment(before)
      const d = choose(isFirst(t), 0, sub(g, state.g))
      const m = ema(h.b1, state.m, g)
      const v = ema(h.b2, state.v, d)
      const n = ema(h.b3, state.n, square(add(g, mul(sub(1, h.b2), d))))
      const [mHat, vHat, nHat] = [debiased(h.b1, m, t), debiased(h.b2, v, t), debiased(h.b3, n, t)]
      const update = div(add(mHat, mul(sub(1, h.b2), vHat)), add(sqrt(add(nHat, h.epsRoot)), h.eps))
      return { update, m, v, n, g }
    }
  })
}
