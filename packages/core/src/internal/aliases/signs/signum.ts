/** Descent by the signs of means. */
import { decay } from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { ema, type EmaState } from "../../transforms/accumulate/ema.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleBySign } from "../../transforms/moments/signs/scaleBySign.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `signum` is made with. */
export interface SignumOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** β: the decay of the mean of gradients, 0 ≤ β < 1. Default 0.9. */
  readonly beta?: Hyper | undefined
}

/**
 * Signum: steps of one size against the sign of the mean gradient.
 *
 *     m ← (1−β)·g + β·m
 *     u = −η(count)·sign(m)
 *
 * The chain `ema` (whose bias does not change the sign), `scaleBySign`, `scaleByLearningRate`, whose states it holds.
 * Throws `InvalidHyperParameter` as they do. Source: Bernstein et al. 2018; `optax.signum`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.signum({ learningRate: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 100 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: -1 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // On in the direction of the mean, against a small gradient.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-0.5, -1])
 * ```
 */
export const signum = ({
  beta = 0.9,
  learningRate
}: SignumOptions): Transform<readonly [EmaState, Stateless, Counted]> =>
  named(
    "signum",
    plain({ learningRate, beta }),
    chain(
      ema({ decay: checkedAs("signum", "beta", beta, decay), debias: false }),
      scaleBySign(),
      scaleByLearningRate({ learningRate })
    )
  )
