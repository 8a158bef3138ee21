/** Optimistic gradient descent. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import {
  type OptimisticGradientState,
  scaleByOptimisticGradient,
  type ScaleByOptimisticGradientOptions
} from "../../transforms/moments/scaleByOptimisticGradient.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `optimisticGradientDescent` is made with. */
export interface OptimisticGradientDescentOptions extends ScaleByOptimisticGradientOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Optimistic gradient descent: steps against the gradient and its last change, which keeps games from circling.
 *
 *     u = −η(count)·((α + β)·g − β·g₋₁)            (g₋₁ = g in the first update)
 *
 * The chain `scaleByOptimisticGradient`, `scaleByLearningRate`, whose states it holds. Throws `InvalidHyperParameter` as
 * they do. Source: Mokhtari, Ozdaglar & Pattathil 2020; `optax.optimistic_gradient_descent`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.optimisticGradientDescent({ learningRate: 0.25 }))
 * const program = Effect.gen(function*() {
 *   // min over x, max over y of x·y: the gradients are (y, −x), and plain descent goes away from (0, 0).
 *   let state = yield* optimizer.init([1, 1])
 *   for (let step = 0; step < 200; step++) {
 *     const [x = 0, y = 0] = optimizer.params(state).map((player) => player.dataSync()[0])
 *     state = yield* optimizer.update(step, [y, -x], state)
 *   }
 *   return optimizer.params(state).map((player) => Math.abs(player.dataSync()[0] ?? 1) < 0.01)
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [true, true])
 * ```
 */
export const optimisticGradientDescent = ({
  learningRate,
  ...shares
}: OptimisticGradientDescentOptions): Transform<readonly [OptimisticGradientState, Counted]> => {
  const direction = scaleByOptimisticGradient(shares)
  return named(
    "optimisticGradientDescent",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
