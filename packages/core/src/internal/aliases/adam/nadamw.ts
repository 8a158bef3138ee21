/** AdamW with Nesterov's look ahead. */
import { named } from "../../transform/named.ts"
import { adamw, type AdamwOptions } from "./adamw.ts"

/** What `nadamw` is made with. */
export type NadamwOptions = Omit<AdamwOptions, "nesterov">

/**
 * NadamW: Nadam with weight decay that does not pass through the moments.
 *
 *     u = −η(count)·(nadam(g) + λ·p)
 *
 * `adamw` with `nesterov`; its states, needs and failures are the same.
 * Source: Dozat 2016; Loshchilov & Hutter 2019; `optax.nadamw`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.nadamw({ learningRate: 3, b1: 0.5, weightDecay: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 7 }, yield* optimizer.init({ w: 2 }))
 *   return optimizer.params(state).w.dataSync()[0]?.toFixed(4)
 * })
 * // Nadam's first step of 4, and the decay of 3·0.5·2.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), "-5.0000")
 * ```
 */
export const nadamw = (options: NadamwOptions): ReturnType<typeof adamw> => {
  const transform = adamw({ ...options, nesterov: true })
  return named("nadamw", transform.hyperParameters, transform)
}
