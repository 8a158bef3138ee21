/** NovoGrad. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByNovograd, type ScaleByNovogradOptions } from "../../transforms/moments/scaleByNovograd.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `novograd` is made with. */
export interface NovogradOptions extends ScaleByNovogradOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** Added to the norm, ≥ 0. Default 1e-6, unlike that of `scaleByNovograd`. */
  readonly eps?: ScaleByNovogradOptions["eps"]
}

/**
 * NovoGrad: momentum on gradients that are scaled by the norm of their tensor, with decay of the weights.
 *
 *     u = −η(count)·novograd(g, p)
 *
 * The chain `scaleByNovograd`, `scaleByLearningRate`, whose states it holds. Half the memory of Adam: one tensor and one
 * number for each leaf. Throws `InvalidHyperParameter` as the parts do.
 * Source: Ginsburg et al. 2019; `optax.novograd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.novograd({ learningRate: 5 }))
 * const program = Effect.gen(function*() {
 *   const initial = yield* optimizer.init({ w: Float32Array.of(0, 0) })
 *   const state = yield* optimizer.update(0, { w: Float32Array.of(300, -400) }, initial)
 *   return Array.from(optimizer.params(state).w.dataSync(), (x) => x.toFixed(3))
 * })
 * // The first step of each tensor is η long, against its gradient.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["-3.000", "4.000"])
 * ```
 */
export const novograd = ({
  eps = 1e-6,
  learningRate,
  ...moments
}: NovogradOptions): Transform<readonly [MomentsState, Counted], "params"> => {
  const direction = scaleByNovograd({ eps, ...moments })
  return named(
    "novograd",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
