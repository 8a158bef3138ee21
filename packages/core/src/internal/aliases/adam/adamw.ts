/** AdamW. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adamw` is made with. */
export interface AdamwOptions extends ScaleByAdamOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** λ: the decay of the parameters, multiplied by the rate. Default 1e-4. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * AdamW: Adam with weight decay that does not pass through the moments.
 *
 *     u = −η(count)·(adam(g) + λ·p)
 *
 * The chain `scaleByAdam`, `addDecayedWeights`, `scaleByLearningRate`, whose states it holds. Throws
 * `InvalidHyperParameter` as they do. Source: Loshchilov & Hutter 2019; `optax.adamw`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.adamw({ learningRate: 0.5, weightDecay: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 0 }, yield* optimizer.init({ w: 4 }))
 *   return optimizer.params(state).w.dataSync()[0]
 * })
 * // Without a gradient the parameter decays by η·λ.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3)
 * ```
 */
export const adamw = ({
  learningRate,
  mask,
  weightDecay = 1e-4,
  ...moments
}: AdamwOptions): Transform<readonly [MomentsState, Counted, Counted], "params"> => {
  const adam = scaleByAdam(moments)
  return named(
    "adamw",
    { ...adam.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(adam, addDecayedWeights({ weightDecay, mask }), scaleByLearningRate({ learningRate }))
  )
}
