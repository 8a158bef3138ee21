/** Yogi. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByYogi, type ScaleByYogiOptions } from "../../transforms/moments/scaleByYogi.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `yogi` is made with. */
export interface YogiOptions extends Pick<ScaleByYogiOptions, "b1" | "b2" | "eps"> {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Yogi: Adam whose rates grow slowly, since its second moment does not forget large gradients at once.
 *
 *     u = −η(count)·yogi(g)
 *
 * The chain `scaleByYogi`, `scaleByLearningRate`, whose states it holds. Throws `InvalidHyperParameter` as they do.
 * Source: Zaheer et al. 2018; `optax.yogi`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const yogi = Transform.yogi({ learningRate: 1, b2: 0.5 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(yogi, { w: 4 }, yield* Transform.init(yogi, { w: 0 }))
 *   const { state: [moments] } = yield* Transform.update(yogi, { w: 1 }, first.state)
 *   return moments.nu.w.dataSync()[0]?.toFixed(2)
 * })
 * // From 8 towards 1² by half of 1²; Adam's second moment would be 4.5.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), "7.50")
 * ```
 */
export const yogi = ({ learningRate, ...moments }: YogiOptions): Transform<readonly [MomentsState, Counted]> => {
  const direction = scaleByYogi(moments)
  return named(
    "yogi",
    { ...direction.hyperParameters, ...plain({ learningRate }) },
    chain(direction, scaleByLearningRate({ learningRate }))
  )
}
