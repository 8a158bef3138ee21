/** Optimistic Adam. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "../../transforms/moments/scaleByAdam.ts"
import {
  type OptimisticGradientState,
  scaleByOptimisticGradient,
  type ScaleByOptimisticGradientOptions
} from "../../transforms/moments/scaleByOptimisticGradient.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `optimisticAdamV2` is made with. */
export interface OptimisticAdamV2Options extends ScaleByAdamOptions, ScaleByOptimisticGradientOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** Look one step ahead, as in Nadam? Default true, unlike that of `scaleByAdam`. */
  readonly nesterov?: boolean | undefined
}

/**
 * Optimistic Adam: steps against Adam's direction and its last change, for games and generative adversarial networks.
 *
 *     a = adam(g)
 *     u = −η(count)·((α + β)·a − β·a₋₁)            (a₋₁ = a in the first update)
 *
 * The chain `scaleByAdam`, `scaleByOptimisticGradient`, `scaleByLearningRate`, whose states it holds. Throws
 * `InvalidHyperParameter` as they do. Source: Daskalakis et al. 2018; `optax.optimistic_adam_v2`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adam = Transform.optimisticAdamV2({ learningRate: 1, b1: 0, b2: 0, eps: 0, nesterov: false })
 * const optimizer = Optimizer.fromTransform(adam)
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 100 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: -4 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // Adam's directions are 1 and −1: steps of −1, and of 1 + (1 − −1).
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, 2])
 * ```
 */
export const optimisticAdamV2 = ({
  alpha = 1,
  beta = 1,
  learningRate,
  nesterov = true,
  ...moments
}: OptimisticAdamV2Options): Transform<readonly [MomentsState, OptimisticGradientState, Counted]> => {
  const direction = scaleByAdam({ ...moments, nesterov })
  const optimistic = scaleByOptimisticGradient({ alpha, beta })
  return named(
    "optimisticAdamV2",
    { ...direction.hyperParameters, ...optimistic.hyperParameters, ...plain({ learningRate }) },
    chain(direction, optimistic, scaleByLearningRate({ learningRate }))
  )
}
