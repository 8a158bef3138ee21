/** Descent by signs. */
import { plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleBySign } from "../../transforms/moments/signs/scaleBySign.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `signSgd` is made with. */
export interface SignSgdOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
}

/**
 * SignSGD: steps of one size against the sign of the gradient.
 *
 *     u = −η(count)·sign(g)
 *
 * The chain `scaleBySign`, `scaleByLearningRate`, whose states it holds. Throws `InvalidHyperParameter` unless η is a
 * finite number ≥ 0 or a schedule. Source: Bernstein et al. 2018; `optax.sign_sgd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.signSgd({ learningRate: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, [100, 0], yield* optimizer.init([0, 0]))
 *   const second = yield* optimizer.update(1, [-1, 1], first)
 *   return [first, second].map((state) => optimizer.params(state).map((x) => x.dataSync()[0]))
 * })
 * // Back again, by the sign of a small gradient.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [[-0.5, 0], [0, -0.5]])
 * ```
 */
export const signSgd = ({ learningRate }: SignSgdOptions): Transform<readonly [Stateless, Counted]> =>
  named("signSgd", plain({ learningRate }), chain(scaleBySign(), scaleByLearningRate({ learningRate })))
