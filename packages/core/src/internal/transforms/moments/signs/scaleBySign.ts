/** The signs of gradients. */
import { sign } from "../../../../Expr.ts"
import { stateless, type Stateless } from "../../../transform/rules.ts"
import type { Transform } from "../../../transform/transform.ts"

/**
 * The signs of gradients: `u = −1, 0 or 1`.
 *
 * Has no state; 0 stays 0, and NaN stays NaN. Source: Bernstein et al. 2018; `optax.scale_by_sign`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(
 *   Transform.update(Transform.scaleBySign(), Float32Array.of(-3, 0, 0.5), null),
 *   ({ updates }) => Array.from(updates.dataSync())
 * )
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, 0, 1])
 * ```
 */
export const scaleBySign = (): Transform<Stateless> => stateless({ name: "scaleBySign" }, (g) => sign(g))
