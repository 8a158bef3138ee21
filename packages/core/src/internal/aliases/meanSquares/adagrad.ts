/** Adagrad. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type RssState, scaleByRss, type ScaleByRssOptions } from "../../transforms/moments/meanSquares/scaleByRss.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adagrad` is made with. */
export interface AdagradOptions extends ScaleByRssOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Adagrad: each element's step shrinks with the root of the sum of its squared gradients.
 *
 *     s ← g² + s
 *     u = −η(count)·g / √(s + eps)                 (0 where s is 0)
 *
 * The chain `scaleByRss`, `scaleByLearningRate`, whose states it holds. `Optimizer.adagrad` has other numbers under the
 * same name: its sum starts at 0 instead of 0.1, it has no eps, and it averages its steps. Throws `InvalidHyperParameter`
 * as the parts do. Source: Duchi, Hazan & Singer 2011; `optax.adagrad`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adagrad = Transform.adagrad({ learningRate: 1, initialAccumulatorValue: 0, eps: 0 })
 * const optimizer = Optimizer.fromTransform(adagrad)
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 3 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: 4 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0]?.toFixed(2))
 * })
 * // Steps of 3/√3² and 4/√(3² + 4²).
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["-1.00", "-1.80"])
 * ```
 */
export const adagrad = ({ learningRate, ...sums }: AdagradOptions): Transform<readonly [RssState, Counted]> => {
  const direction = scaleByRss(sums)
  return named(
    "adagrad",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
