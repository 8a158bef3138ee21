/** Adan. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type AdanState, scaleByAdan, type ScaleByAdanOptions } from "../../transforms/moments/scaleByAdan.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adan` is made with. */
export interface AdanOptions extends ScaleByAdanOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** Added to the mean square within the root, ≥ 0. Default 1e-8, unlike that of `scaleByAdan`. */
  readonly epsRoot?: ScaleByAdanOptions["epsRoot"]
  /** λ: the decay of the parameters, multiplied by the rate. Default 0. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * Adan: adaptive steps with Nesterov's momentum, estimated from differences of gradients.
 *
 *     u = −η(count)·(adan(g) + λ·p)
 *
 * The chain `scaleByAdan`, `addDecayedWeights`, `scaleByLearningRate`, whose states it holds. The paper decays after the
 * step, by 1/(1 + λη); this is Optax's. Throws `InvalidHyperParameter` as the parts do.
 * Source: Xie et al. 2022; `optax.adan`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adan = Transform.adan({ learningRate: 1, b1: 0.5, b2: 0.5, b3: 0, eps: 0, epsRoot: 0 })
 * const optimizer = Optimizer.fromTransform(adan)
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 1 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: 5 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0]?.toFixed(4))
 * })
 * // Means 11/3 of gradients 1, 5 and 8/3 of changes 0, 4: the second step is (11/3 + 8/6) / (5 + 4/2).
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["-1.0000", "-1.7143"])
 * ```
 */
export const adan = ({
  epsRoot = 1e-8,
  learningRate,
  mask,
  weightDecay = 0,
  ...moments
}: AdanOptions): Transform<readonly [AdanState, Counted, Counted], "params"> => {
  const direction = scaleByAdan({ epsRoot, ...moments })
  return named(
    "adan",
    { ...direction.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(direction, addDecayedWeights({ weightDecay, mask }), scaleByLearningRate({ learningRate }))
  )
}
