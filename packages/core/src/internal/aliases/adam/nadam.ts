/** Adam with Nesterov's look ahead. */
import { named } from "../../transform/named.ts"
import { adam, type AdamOptions } from "./adam.ts"

/** What `nadam` is made with. */
export type NadamOptions = Omit<AdamOptions, "nesterov">

/**
 * Nadam: Adam whose mean is the one that the next step will see.
 *
 *     u = −η(count)·μ̂ / (√(ν̂ + epsRoot) + eps)      μ̂ = b1·μ/(1 − b1^(t+1)) + (1−b1)·g/(1 − b1^t)
 *
 * `adam` with `nesterov`; its states and failures are the same. Source: Dozat 2016; `optax.nadam`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.nadam({ learningRate: 3, b1: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 7 }, yield* optimizer.init({ w: 0 }))
 *   return optimizer.params(state).w.dataSync()[0]?.toFixed(4)
 * })
 * // The first step is longer than Adam's, by the factor 1 + b1/(1+b1).
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), "-4.0000")
 * ```
 */
export const nadam = (options: NadamOptions): ReturnType<typeof adam> => {
  const transform = adam({ ...options, nesterov: true })
  return named("nadam", transform.hyperParameters, transform)
}
