/** Updates without their mean. */
import { broadcastTo, reshape, sub } from "../../../Expr.ts"
import { mean } from "../../transform/norms.ts"
import { stateless, type Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/**
 * Updates from which the mean over all axes but the first is taken: `u ← u − mean(u)`, row by row.
 *
 * Numbers and vectors pass unchanged. Has no state. Source: Yong et al. 2020; `optax.centralize`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(Transform.centralize(), tf.tensor2d([[1, 3], [10, 30]]), null)
 *   return updates.dataSync()
 * })
 * // Each row has mean zero.
 * assert.deepStrictEqual([...(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))))], [-1, 1, -10, 10])
 * ```
 */
export const centralize = (): Transform<Stateless> =>
  stateless({ name: "centralize" }, (u) => {
    const axes = u.shape.slice(1).map((_, axis) => axis + 1)
    if (axes.length === 0) return u
    const kept = u.shape.map((size, axis) => (axis === 0 ? size : 1))
    return sub(u, broadcastTo(reshape(mean(u, axes), kept), u.shape))
  })
