/** Rectified Adam. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByRadam, type ScaleByRadamOptions } from "../../transforms/moments/scaleByRadam.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `radam` is made with. */
export interface RadamOptions extends ScaleByRadamOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * RAdam: Adam that trusts its mean square only when enough gradients have gone into it, and so needs no warm-up.
 *
 *     u = −η(count)·radam(g)
 *
 * The chain `scaleByRadam`, `scaleByLearningRate`, whose states it holds. Throws `InvalidHyperParameter` as they do.
 * Source: Liu et al. 2020; `optax.radam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.radam({ learningRate: 0.5, b1: 0 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 1024 }, yield* optimizer.init({ w: 0 }))
 *   return optimizer.params(state).w.dataSync()[0]
 * })
 * // The first steps are those of plain gradient descent; Adam's would be 0.5 in size.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), -512)
 * ```
 */
export const radam = ({ learningRate, ...moments }: RadamOptions): Transform<readonly [MomentsState, Counted]> => {
  const direction = scaleByRadam(moments)
  return named(
    "radam",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
