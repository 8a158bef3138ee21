/** Resilient propagation. */
import { named } from "../../transform/named.ts"
import type { Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type RpropState, scaleByRprop, type ScaleByRpropOptions } from "../../transforms/moments/signs/scaleByRprop.ts"
import { scale } from "../../transforms/scale/scale.ts"

/** What `rprop` is made with. */
export type RpropOptions = ScaleByRpropOptions

/**
 * Rprop: steps against the sign of the gradient, whose sizes grow while the sign stays and shrink when it changes.
 *
 *     u = −rprop(g)
 *
 * The chain `scaleByRprop`, `scale`, whose states it holds. The rate is the size of the first steps, not a schedule. As in
 * Optax, each step is that of the update before, the first is zero; `delayed: false` gives the paper's. Throws
 * `InvalidHyperParameter` as `scaleByRprop` does. Source: Riedmiller & Braun 1993; `optax.rprop`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const twoSteps = (delayed: boolean) =>
 *   Effect.gen(function*() {
 *     const optimizer = Optimizer.fromTransform(Transform.rprop({ learningRate: 1, etaPlus: 2, delayed }))
 *     const first = yield* optimizer.update(0, { w: 100 }, yield* optimizer.init({ w: 0 }))
 *     const second = yield* optimizer.update(1, { w: 0.1 }, first)
 *     return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 *   })
 * const both = Effect.all([twoSteps(true), twoSteps(false)])
 * assert.deepStrictEqual(await Effect.runPromise(both.pipe(Effect.provide(Cpu.layer))), [[0, -1], [-1, -3]])
 * ```
 */
export const rprop = (options: RpropOptions): Transform<readonly [RpropState, Stateless]> => {
  const direction = scaleByRprop(options)
  return named("rprop", direction.hyperParameters, chain(direction, scale({ stepSize: -1 })))
}
