/** Parameters that stay at zero or above. */
import { add, less, neg, where } from "../../../Expr.ts"
import { type Stateless, statelessWithParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/**
 * Updates that take no parameter below zero: `u ← −p where p + u < 0`.
 *
 * It belongs at the end of a chain, after the sign has changed. A parameter that is below zero is set to zero. Has no state.
 * Needs the parameters. Source: `optax.keep_params_nonnegative`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const keep = Transform.keepParamsNonnegative()
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(keep, { near: -3, far: -3 }, null, { params: { near: 1, far: 5 } })
 *   return [updates.near.dataSync()[0], updates.far.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, -3])
 * ```
 */
export const keepParamsNonnegative = (): Transform<Stateless, "params"> =>
  statelessWithParams({ name: "keepParamsNonnegative" }, (u, p) => where(less(add(p, u), 0), neg(p), u))
