/** Adam. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adam` is made with. */
export interface AdamOptions extends ScaleByAdamOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Adam: steps along the mean gradient, scaled per element by the root of its mean square.
 *
 *     u = −η(count)·adam(g)
 *
 * The chain `scaleByAdam`, `scaleByLearningRate`, whose states it holds. The numbers are those of `Optimizer.adam`, which
 * is told the step where this counts. Throws `InvalidHyperParameter` as the parts do.
 * Source: Kingma & Ba 2015; `optax.adam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.adam({ learningRate: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, [1000, -0.001], yield* optimizer.init([0, 0]))
 *   return optimizer.params(state).map((x) => x.dataSync()[0]?.toFixed(4))
 * })
 * // The first step is η in size, whatever the gradient's.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["-0.5000", "0.5000"])
 * ```
 */
export const adam = ({ learningRate, ...moments }: AdamOptions): Transform<readonly [MomentsState, Counted]> => {
  const direction = scaleByAdam(moments)
  return named(
    "adam",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
