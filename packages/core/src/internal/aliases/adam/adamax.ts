/** Adamax. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByAdamax, type ScaleByAdamaxOptions } from "../../transforms/moments/scaleByAdamax.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adamax` is made with. */
export interface AdamaxOptions extends ScaleByAdamaxOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Adamax: steps along the mean gradient, scaled per element by the largest gradient, which decays.
 *
 *     u = −η(count)·adamax(g)
 *
 * The chain `scaleByAdamax`, `scaleByLearningRate`, whose states it holds. `Optimizer.adamax` adds eps to the denominator
 * and not to the sizes of gradients; both differ in the order of eps. Throws `InvalidHyperParameter` as the parts do.
 * Source: Kingma & Ba 2015, Algorithm 2; `optax.adamax`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.adamax({ learningRate: 1, b1: 0, b2: 0.5, eps: 0 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 8 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: 1 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // The second gradient is divided by half of the first, which is still the larger one.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, -1.25])
 * ```
 */
export const adamax = ({ learningRate, ...moments }: AdamaxOptions): Transform<readonly [MomentsState, Counted]> => {
  const direction = scaleByAdamax(moments)
  return named(
    "adamax",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
