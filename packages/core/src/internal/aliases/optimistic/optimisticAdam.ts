/** Optimistic Adam by its first name. */
import { finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "../../transforms/moments/scaleByAdam.ts"
import {
  type OptimisticGradientState,
  scaleByOptimisticGradient
} from "../../transforms/moments/scaleByOptimisticGradient.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `optimisticAdam` is made with. */
export interface OptimisticAdamOptions extends ScaleByAdamOptions {
  /** η: the rate, a number ≥ 0. */
  readonly learningRate: Hyper
  /** The share of the last change. Default η. */
  readonly optimism?: Hyper | undefined
  /** Look one step ahead, as in Nadam? Default true, unlike that of `scaleByAdam`. */
  readonly nesterov?: boolean | undefined
}

/**
 * Optimistic Adam with a rate that is a number: `u = −((η + optimism)·a − optimism·a₋₁)` for Adam's directions a.
 *
 * The chain `scaleByAdam`, `scaleByOptimisticGradient`, `scaleByLearningRate` with the rate 1, whose states it holds.
 * Throws `InvalidHyperParameter` unless η ≥ 0 and optimism is finite, and as the parts do; schedules are for
 * `optimisticAdamV2`.
 * Source: Daskalakis et al. 2018; `optax.optimistic_adam`.
 *
 * @deprecated as in Optax: `optimisticAdamV2` also takes a schedule; it is the same with `alpha: 1` and
 * `beta: optimism / η`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const options = { learningRate: 0.5, optimism: 0.25, b1: 0, b2: 0, eps: 0, nesterov: false }
 * const optimizer = Optimizer.fromTransform(Transform.optimisticAdam(options))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 100 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: -4 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // Adam's directions are 1 and −1: steps of −0.5, and of 0.5 + 0.25·(1 − −1).
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-0.5, 0.5])
 * ```
 */
export const optimisticAdam = ({
  learningRate,
  nesterov = true,
  optimism,
  ...moments
}: OptimisticAdamOptions): Transform<readonly [MomentsState, OptimisticGradientState, Counted]> => {
  const name = "optimisticAdam"
  const h = checked(
    name,
    { learningRate, optimism: optimism ?? learningRate },
    { learningRate: nonNegative, optimism: finite }
  )
  const direction = scaleByAdam({ ...moments, nesterov })
  const parts = chain(
    direction,
    scaleByOptimisticGradient({ alpha: h.learningRate, beta: h.optimism }),
    scaleByLearningRate({ learningRate: 1 })
  )
  // Where it is not given, it follows the rate.
  const fixed = optimism === undefined ? ["optimism"] : []
  return { ...named(name, { ...direction.hyperParameters, ...plain(h) }, parts), fixed }
}
