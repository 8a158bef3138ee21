/** Updates of one size. */
import { add, div, mul } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type Stateless, statelessOnTree } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `normalizeByUpdateNorm` is made with. */
export interface NormalizeByUpdateNormOptions {
  /** The norm of the result, of either sign. Default 1. */
  readonly scaleFactor?: Hyper | undefined
  /** Added to the norm, ≥ 0. Default 1e-6. */
  readonly eps?: Hyper | undefined
}

/**
 * Updates whose norm, over the whole tree, is `scaleFactor`, whatever it was: `u ← scaleFactor·u / (√Σ⟨u, u⟩ + eps)`.
 *
 * Has no state. Throws `InvalidHyperParameter` unless scaleFactor is finite and eps ≥ 0.
 * Source: `optax.normalize_by_update_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const normalize = Transform.normalizeByUpdateNorm({ eps: 0 })
 * const program = Effect.map(Transform.update(normalize, { a: 0, b: 1e-6 }, null), ({ updates: { a, b } }) => [
 *   a.dataSync()[0],
 *   b.dataSync()[0]
 * ])
 * // Unlike clipping it lengthens what is short.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 1])
 * ```
 */
export const normalizeByUpdateNorm = ({
  eps = 1e-6,
  scaleFactor = 1
}: NormalizeByUpdateNormOptions = {}): Transform<Stateless> => {
  const name = "normalizeByUpdateNorm"
  const h = checked(name, { scaleFactor, eps }, { scaleFactor: finite, eps: nonNegative })
  return statelessOnTree({ name, hyperParameters: plain(h) }, (updates) => {
    const length = add(Leaves.globalNorm(updates), h.eps)
    return Leaves.map(updates, (u) => div(mul(h.scaleFactor, u), length))
  })
}
