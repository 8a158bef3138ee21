/** Lion's direction, before the rate. */
import { abs, ema, type Expr, less, mul, sign, tanh, where, zerosLike } from "../../../../Expr.ts"
import { decay, finite, oneOf } from "../../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../../transform/hyper.ts"
import { counting, type Counted, type SlotLists } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"

/** What `scaleByLion` is made with. */
export interface ScaleByLionOptions {
  /** The share of the mean in the update, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the mean of gradients, 0 ≤ b2 < 1. Default 0.99. */
  readonly b2?: Hyper | undefined
  /** What becomes of the mixture: its sign, its smoothed sign, or itself where it is small. Default "hard". */
  readonly mode?: "hard" | "smooth" | "refined" | undefined
  /** β: how steep the smooth sign is. Default 1. */
  readonly smoothBeta?: Hyper | undefined
}

/** The mean of gradients, and how many there were. */
export type LionState = Counted & SlotLists<{ readonly mu: Expr }>

/** What becomes of the mixture of gradient and mean. */
const squashes = {
  hard: (x: Expr) => sign(x),
  smooth: (x: Expr, beta: Hyper) => tanh(mul(beta, x)),
  refined: (x: Expr) => where(less(abs(x), 1), x, sign(x))
}

/**
 * Lion's direction: the sign of a mixture of the gradient and the mean of those before it.
 *
 *     c = (1−b1)·g + b1·μ
 *     u = sign(c)  (hard),  tanh(β·c)  (smooth),  or c where |c| < 1 and sign(c) elsewhere  (refined)
 *     μ ← (1−b2)·g + b2·μ
 *
 * State: `count` and `mu`, zero at first. In the smooth mode the hyperbolic tangent is a kernel of its own. Throws
 * `InvalidHyperParameter` unless 0 ≤ b1, b2 < 1, β is finite, and the mode is one of the three.
 * Source: Chen et al. 2023; `optax.scale_by_lion`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const lion = Transform.scaleByLion()
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(lion, { w: 100 }, yield* Transform.init(lion, { w: 0 }))
 *   const second = yield* Transform.update(lion, { w: -5 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * // 0.1·(−5) + 0.9·1 is positive still: a small gradient does not turn the direction.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 1])
 * ```
 */
export const scaleByLion = ({
  b1 = 0.9,
  b2 = 0.99,
  mode = "hard",
  smoothBeta = 1
}: ScaleByLionOptions = {}): Transform<LionState> => {
  const name = "scaleByLion"
  const ranges = { b1: decay, b2: decay, mode: oneOf(...Object.keys(squashes)), smoothBeta: finite }
  const h = checked(name, { b1, b2, mode, smoothBeta }, ranges)
  const squash = squashes[mode]
  return counting({
    name,
    hyperParameters: plain(h),
    init: (p) => ({ mu: zerosLike(p) }),
    update: (g, { mu }) => ({ update: squash(ema(h.b1, mu, g), h.smoothBeta), mu: ema(h.b2, mu, g) })
  })
}
