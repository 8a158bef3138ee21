/** Adamax with weight decay. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByAdamax } from "../../transforms/moments/scaleByAdamax.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"
import type { AdamaxOptions } from "./adamax.ts"

/** What `adamaxw` is made with. */
export interface AdamaxwOptions extends AdamaxOptions {
  /** λ: the decay of the parameters, multiplied by the rate. Default 1e-4. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * AdamaxW: Adamax with weight decay that does not pass through the moments.
 *
 *     u = −η(count)·(adamax(g) + λ·p)
 *
 * The chain `scaleByAdamax`, `addDecayedWeights`, `scaleByLearningRate`, whose states it holds. Throws
 * `InvalidHyperParameter` as they do. Source: Kingma & Ba 2015; Loshchilov & Hutter 2019; `optax.adamaxw`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adamaxw = Transform.adamaxw({ learningRate: 1, b1: 0, b2: 0.5, eps: 0, weightDecay: 0.5 })
 * const optimizer = Optimizer.fromTransform(adamaxw)
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 8 }, yield* optimizer.init({ w: 4 }))
 *   const second = yield* optimizer.update(1, { w: 1 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // Adamax's steps of 1 and 1/4, and the decays of 0.5·4 and 0.5·1.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 0.25])
 * ```
 */
export const adamaxw = ({
  learningRate,
  mask,
  weightDecay = 1e-4,
  ...moments
}: AdamaxwOptions): Transform<readonly [MomentsState, Counted, Counted], "params"> => {
  const direction = scaleByAdamax(moments)
  return named(
    "adamaxw",
    { ...direction.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(direction, addDecayedWeights({ weightDecay, mask }), scaleByLearningRate({ learningRate }))
  )
}
