/** Adamax. */
import { abs, add, debias, div, ema, maximum, mul, sub, zerosLike } from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, nonNegative, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"
import type { AdamOptions } from "./adam.ts"

/** What `adamax` is made with: the names are Adam's; `b2` is the decay of the largest gradient. */
export type AdamaxOptions = AdamOptions

/**
 * Adamax: Adam with the largest recent gradient in place of the root of the mean square.
 *
 *     m ← (1−b1)·g + b1·m
 *     u ← max(b2·u, |g|)
 *     x ← x − (α(t) / (1 − b1^(t+1)))·m / (u + eps)              t = 0, 1, …
 *
 * State: `x`, the mean `m` and the decaying maximum `u`, both zero at first.
 * Throws `InvalidHyperParameter` unless α ≥ 0, 0 ≤ b1, b2 < 1 and eps ≥ 0.
 * Source: Kingma & Ba 2015, Algorithm 2; `jax.example_libraries.optimizers.adamax`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const adamax = Optimizer.adamax({ stepSize: 1, b1: 0, b2: 0.5, eps: 0 })
 *   const first = yield* adamax.update(0, [4], yield* adamax.init([0]))
 *   const second = yield* adamax.update(1, [1], first)
 *   return [first, second].map((state) => adamax.params(state)[0]?.dataSync()[0])
 * })
 * // The largest gradient, 4, fades by b2: the second step is 1 / max(0.5·4, 1) = 0.5 long.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, -1.5])
 * ```
 */
export const adamax = leafwise(({ b1 = 0.9, b2 = 0.999, eps = 1e-8, stepSize }: AdamaxOptions) => {
  const ranges = { stepSize: stepSizeRange, b1: decay, b2: decay, eps: nonNegative }
  const hyperParameters = check("adamax", { stepSize, b1, b2, eps }, ranges)
  const rate = Scalar.schedule(stepSize)
  return {
    name: "adamax",
    hyperParameters,
    init: (x) => ({ x, m: zerosLike(x), u: zerosLike(x) }),
    update: (t, g, state) => {
      const m = ema(b1, state.m, g)
      const u = maximum(mul(b2, state.u), abs(g))
      return { x: sub(state.x, div(mul(div(rate(t), debias(b1, t)), m), add(u, eps))), m, u }
    },
    params: ({ x }) => x
  }
})
