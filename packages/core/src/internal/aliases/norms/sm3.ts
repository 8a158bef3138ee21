/** SM3, as Optax has it. */
import { decay } from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { scaleBySm3, type ScaleBySm3State } from "../../transforms/axes/scaleBySm3.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `Transform.sm3` is made with. */
export interface Sm3Options {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** The decay of the averaged step, 0 ≤ momentum < 1. Default 0.9. */
  readonly momentum?: Hyper | undefined
}

/**
 * SM3: Adagrad in the memory of one vector per axis.
 *
 * The chain `scaleBySm3` and `scaleByLearningRate`, whose states it holds. `Optimizer.sm3` is that of JAX: it has no eps
 * within the root. Throws `InvalidHyperParameter` as its parts do.
 * Source: Anil, Gupta, Koren & Singer 2019; `optax.sm3`, whose rate is a number.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.sm3({ learningRate: 0.1 }))
 * const program = Effect.gen(function*() {
 *   const [{ mu }] = OptimizerState.transform(yield* optimizer.init({ w: tf.zeros([200, 30]) }))
 *   return mu.w.map((vector) => vector.size)
 * })
 * // Two vectors stand for 6000 sums.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [200, 30])
 * ```
 */
export const sm3 = ({ learningRate, momentum = 0.9 }: Sm3Options): Transform<readonly [ScaleBySm3State, Counted]> =>
  named(
    "sm3",
    plain({ learningRate, momentum }),
    chain(scaleBySm3({ b1: checkedAs("sm3", "momentum", momentum, decay) }), scaleByLearningRate({ learningRate }))
  )
