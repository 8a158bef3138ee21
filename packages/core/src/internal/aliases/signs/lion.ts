/** Lion. */
import { plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type LionState, scaleByLion, type ScaleByLionOptions } from "../../transforms/moments/signs/scaleByLion.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `lion` is made with. */
export interface LionOptions extends Pick<ScaleByLionOptions, "b1" | "b2"> {
  /** η: the rate, or a schedule of it. A third to a tenth of Adam's is usual. */
  readonly learningRate: Rate
  /** λ: the decay of the parameters, multiplied by the rate. Default 1e-3. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * Lion: steps of one size for all elements, in the direction of the sign of a mixture of gradient and mean.
 *
 *     u = −η(count)·(lion(g) + λ·p)
 *
 * The chain `scaleByLion`, `addDecayedWeights`, `scaleByLearningRate`, whose states it holds. Half the memory of Adam.
 * Throws `InvalidHyperParameter` as the parts do. Source: Chen et al. 2023; `optax.lion`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.lion({ learningRate: 0.5, weightDecay: 0.25 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, [1e3, 1e-3], yield* optimizer.init([8, 8]))
 *   const second = yield* optimizer.update(1, [-10, -10], first)
 *   return [first, second].map((state) => optimizer.params(state).map((x) => x.dataSync()[0]))
 * })
 * // η·(±1 + λ·8), whatever the gradient's size; the large one is not forgotten in the second step.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [
 *   [6.5, 6.5],
 *   [5.1875, 6.1875]
 * ])
 * ```
 */
export const lion = ({
  learningRate,
  mask,
  weightDecay = 1e-3,
  ...means
}: LionOptions): Transform<readonly [LionState, Counted, Counted], "params"> => {
  const direction = scaleByLion(means)
  return named(
    "lion",
    { ...direction.hyperParameters, ...plain({ learningRate, weightDecay }) },
    chain(direction, addDecayedWeights({ weightDecay, mask }), scaleByLearningRate({ learningRate }))
  )
}
