/** Adadelta. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import { optional } from "../../transform/optional.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import {
  type AdadeltaState,
  scaleByAdadelta,
  type ScaleByAdadeltaOptions
} from "../../transforms/moments/meanSquares/scaleByAdadelta.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adadelta` is made with. */
export interface AdadeltaOptions extends ScaleByAdadeltaOptions {
  /** η: the rate, or a schedule of it. Default none: then the sign of updates does not change, and they ascend. */
  readonly learningRate?: Rate | undefined
  /** λ: the share of the parameter that is added to the gradient. Default 0. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly weightDecayMask?: Mask
}

/**
 * Adadelta: steps of the size of those before, scaled per element by the root of the mean squared gradient.
 *
 *     u = −η(count)·adadelta(g + λ·p)
 *
 * The chain `addDecayedWeights`, `scaleByAdadelta`, `scaleByLearningRate`, whose states it holds; λ passes through the
 * means, as in classical regularisation. Without a rate the third part, which turns the sign, is missing, as in Optax, and
 * its state is `null`: such updates go up the gradient. Pass `learningRate: 1` for the paper's descent. Throws
 * `InvalidHyperParameter` as the parts do. Source: Zeiler 2012; `optax.adadelta`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const firstStep = (learningRate?: number) =>
 *   Effect.gen(function*() {
 *     const adadelta = Transform.adadelta({ learningRate, rho: 0.75, eps: 1e-6 })
 *     const optimizer = Optimizer.fromTransform(adadelta)
 *     const state = yield* optimizer.update(0, { w: 1000 }, yield* optimizer.init({ w: 0 }))
 *     return optimizer.params(state).w.dataSync()[0]?.toFixed(6)
 *   })
 * // √(eps/(1−ρ)) in size, whatever the gradient; without a rate, upwards.
 * const steps = Effect.all([firstStep(1), firstStep()])
 * assert.deepStrictEqual(await Effect.runPromise(steps.pipe(Effect.provide(Cpu.layer))), ["-0.002000", "0.002000"])
 * ```
 */
export const adadelta = ({ learningRate, weightDecay = 0, weightDecayMask, ...means }: AdadeltaOptions = {}): Transform<
  readonly [Counted, AdadeltaState, Counted | null],
  "params"
> => {
  const direction = scaleByAdadelta(means)
  const descent = learningRate === undefined ? undefined : scaleByLearningRate({ learningRate })
  return named(
    "adadelta",
    { ...direction.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(addDecayedWeights({ weightDecay, mask: weightDecayMask }), direction, optional(descent))
  )
}
