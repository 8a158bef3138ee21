/** AdaBelief. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import { optional } from "../../transform/optional.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByBelief, type ScaleByBeliefOptions } from "../../transforms/moments/scaleByBelief.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adabelief` is made with. */
export interface AdabeliefOptions extends ScaleByBeliefOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** λ: the decay of the parameters, multiplied by the rate. Default none. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly weightDecayMask?: Mask
}

/**
 * AdaBelief: Adam whose steps are long where gradients are as predicted, and short where they are not.
 *
 *     u = −η(count)·(belief(g) + λ·p)
 *
 * The chain `scaleByBelief`, `addDecayedWeights` if there is a λ, `scaleByLearningRate`, whose states it holds; without λ
 * the second is `null`. Throws `InvalidHyperParameter` as they do. Source: Zhuang et al. 2020; `optax.adabelief`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adabelief = Transform.adabelief({ learningRate: 1, b1: 0.25, b2: 0.5, eps: 0, epsRoot: 0 })
 * const optimizer = Optimizer.fromTransform(adabelief)
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, [1024, -2], yield* optimizer.init([0, 0]))
 *   return optimizer.params(state).map((x) => x.dataSync()[0])
 * })
 * // The first step is η/b1 in size, whatever the gradient's.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-4, 4])
 * ```
 */
export const adabelief = ({
  learningRate,
  weightDecay,
  weightDecayMask,
  ...moments
}: AdabeliefOptions): Transform<readonly [MomentsState, Counted | null, Counted], "params"> => {
  const direction = scaleByBelief(moments)
  const decays = weightDecay === undefined ? undefined : addDecayedWeights({ weightDecay, mask: weightDecayMask })
  return named(
    "adabelief",
    { ...direction.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(direction, optional(decays), scaleByLearningRate({ learningRate }))
  )
}
