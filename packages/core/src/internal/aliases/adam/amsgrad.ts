/** AMSGrad. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import {
  type AmsgradState,
  scaleByAmsgrad,
  type ScaleByAmsgradOptions
} from "../../transforms/moments/scaleByAmsgrad.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `amsgrad` is made with. */
export interface AmsgradOptions extends ScaleByAmsgradOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * AMSGrad: Adam whose rate for an element never grows again, since its denominator never shrinks.
 *
 *     u = −η(count)·amsgrad(g)
 *
 * The chain `scaleByAmsgrad`, `scaleByLearningRate`, whose states it holds. Throws `InvalidHyperParameter` as they do.
 * Source: Reddi, Kale & Kumar 2018; `optax.amsgrad`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.amsgrad({ learningRate: 0.5, b1: 0, eps: 0 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 4 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: 1 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0]?.toFixed(4))
 * })
 * // The second gradient, too, is divided by the size of the first: steps of 0.5·4/4 and 0.5·1/4.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["-0.5000", "-0.6250"])
 * ```
 */
export const amsgrad = ({ learningRate, ...moments }: AmsgradOptions): Transform<readonly [AmsgradState, Counted]> => {
  const direction = scaleByAmsgrad(moments)
  return named(
    "amsgrad",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
