/** Gradients with a look at the one before. */
import { add, type Expr, mul, sub, zerosLike } from "../../../Expr.ts"
import { constant, type Scalar } from "../../../Scalar.ts"
import { finite } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type SlotLists, withNumbers } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { choose } from "../../transform/words.ts"

/** What `scaleByOptimisticGradient` is made with. */
export interface ScaleByOptimisticGradientOptions {
  /** α: the share of the gradient. Default 1. */
  readonly alpha?: Hyper | undefined
  /** β: the share of its change since the update before. Default 1. */
  readonly beta?: Hyper | undefined
}

/** The gradient before, and whether there was one: `isInitialStep` is 1 before the first update, 0 later. */
export type OptimisticGradientState = { readonly isInitialStep: Scalar } & SlotLists<{
  readonly previousGradient: Expr
}>

/**
 * The optimistic gradient: the gradient and its change since the update before, as a guess at the next one.
 *
 *     u = (α + β)·g − β·g₋₁                        (g₋₁ = g in the first update)
 *
 * State: `isInitialStep`, 1 at first, and `previousGradient`, zero at first. Throws `InvalidHyperParameter` unless α and β
 * are finite. Source: Mokhtari, Ozdaglar & Pattathil 2020; `optax.scale_by_optimistic_gradient`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimistic = Transform.scaleByOptimisticGradient()
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(optimistic, { w: 1 }, yield* Transform.init(optimistic, { w: 0 }))
 *   const second = yield* Transform.update(optimistic, { w: 3 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 5]) // 3 + (3 − 1)
 * ```
 */
export const scaleByOptimisticGradient = ({
  alpha = 1,
  beta = 1
}: ScaleByOptimisticGradientOptions = {}): Transform<OptimisticGradientState> => {
  const name = "scaleByOptimisticGradient"
  const h = checked(name, { alpha, beta }, { alpha: finite, beta: finite })
  return withNumbers({
    name,
    hyperParameters: plain(h),
    numbers: { isInitialStep: constant(1) },
    next: () => ({ isInitialStep: constant(0) }),
    init: (p) => ({ previousGradient: zerosLike(p) }),
    update: (g, { previousGradient }, { isInitialStep }) => {
      const previous = choose(isInitialStep, g, previousGradient)
      return { update: sub(mul(add(h.alpha, h.beta), g), mul(h.beta, previous)), previousGradient: g }
    }
  })
}
