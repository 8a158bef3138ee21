/** Gradient descent with noise. */
import { plain, type Rate } from "../transform/hyper.ts"
import { named } from "../transform/named.ts"
import type { Counted } from "../transform/rules.ts"
import type { Transform } from "../transform/transform.ts"
import { addNoise, type AddNoiseOptions } from "../transforms/accumulate/addNoise.ts"
import { chain } from "../transforms/combine/chain.ts"
import { scaleByLearningRate } from "../transforms/scale/scaleByLearningRate.ts"

/** What `noisySgd` is made with. */
export interface NoisySgdOptions extends Partial<AddNoiseOptions> {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * Gradient descent with normal noise that becomes less: `u = −η(count)·(g + N(0, eta / t^gamma))`, t = 1, 2, ….
 *
 * `eta` is 0.01 and `gamma` 0.55 unless they are given. The chain `addNoise`, `scaleByLearningRate`, whose states it holds.
 * Throws `InvalidHyperParameter` as they do. Source: Neelakantan et al. 2015; `optax.noisy_sgd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const after = (key: number) => Effect.gen(function*() {
 *   const optimizer = Optimizer.fromTransform(Transform.noisySgd({ learningRate: 1, key }))
 *   const state = yield* optimizer.update(0, { w: 0 }, yield* optimizer.init({ w: 4 }))
 *   return optimizer.params(state).w.dataSync()[0] ?? 0
 * })
 * const [a, b] = await Effect.runPromise(Effect.all([after(1), after(2)]).pipe(Effect.provide(Cpu.layer)))
 * // Without a gradient it moves all the same, with another key another way.
 * assert.ok(a !== 4 && a !== b)
 * ```
 */
export const noisySgd = ({
  eta = 0.01,
  gamma = 0.55,
  key = 0,
  learningRate
}: NoisySgdOptions): Transform<readonly [Counted, Counted]> =>
  named(
    "noisySgd",
    plain({ learningRate, eta, gamma, key }),
    chain(addNoise({ eta, gamma, key }), scaleByLearningRate({ learningRate }))
  )
