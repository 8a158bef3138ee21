/** LAMB. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByTrustRatio } from "../../transforms/norms/scaleByTrustRatio.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `lamb` is made with; `eps` is 1e-6 by default. */
export interface LambOptions extends Omit<ScaleByAdamOptions, "nesterov"> {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** λ: the decay of the parameters. Default 0. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * LAMB: Adam's step with decay, as long as the parameter that it moves; for large batches.
 *
 *     r = adam(g) + λ·p        u = −η(count)·(‖p‖/‖r‖)·r        for each leaf
 *
 * The chain `scaleByAdam`, `addDecayedWeights`, `scaleByTrustRatio`, `scaleByLearningRate`, whose states it holds. Throws
 * `InvalidHyperParameter` as they do. Source: You et al. 2020; `optax.lamb`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.lamb({ learningRate: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 1000 }, yield* optimizer.init({ w: 4 }))
 *   return optimizer.params(state).w.dataSync()[0]
 * })
 * // A step of η times the parameter's own length.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 2)
 * ```
 */
export const lamb = ({
  learningRate,
  mask,
  weightDecay = 0,
  ...moments
}: LambOptions): Transform<readonly [MomentsState, Counted, Stateless, Counted], "params"> => {
  const adam = scaleByAdam({ ...moments, eps: moments.eps ?? 1e-6 })
  return named(
    "lamb",
    { ...adam.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(adam, addDecayedWeights({ weightDecay, mask }), scaleByTrustRatio(), scaleByLearningRate({ learningRate }))
  )
}
