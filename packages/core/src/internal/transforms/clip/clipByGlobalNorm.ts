/** Updates clipped by the norm of the whole tree. */
import { bound } from "../../optimizer/hyperParameters.ts"
import { clipLeaves } from "../../optimizer/norms.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type Stateless, statelessOnTree } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `clipByGlobalNorm` is made with. */
export interface ClipByGlobalNormOptions {
  /** The largest norm, ≥ 0. */
  readonly maxNorm: Hyper
}

/**
 * Updates whose norm, over the whole tree, is at most `maxNorm`.
 *
 *     n = √Σ⟨u, u⟩        u ← u if n < maxNorm, else u·(maxNorm / n)
 *
 * Has no state, and reads nothing back. An infinite element gives NaN, as in the reference. Throws `InvalidHyperParameter`
 * unless maxNorm ≥ 0. Source: Pascanu, Mikolov & Bengio 2013; `optax.clip_by_global_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clip = Transform.clipByGlobalNorm({ maxNorm: 5 })
 * const program = Effect.map(Transform.update(clip, { a: 30, b: 40 }, null), ({ updates: { a, b } }) => [
 *   a.dataSync()[0],
 *   b.dataSync()[0]
 * ])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [3, 4])
 * ```
 */
export const clipByGlobalNorm = (options: ClipByGlobalNormOptions): Transform<Stateless> => {
  const { maxNorm } = checked("clipByGlobalNorm", { maxNorm: options.maxNorm }, { maxNorm: bound })
  return statelessOnTree({ name: "clipByGlobalNorm", hyperParameters: plain({ maxNorm }) }, (updates) =>
    clipLeaves(maxNorm, updates)
  )
}
