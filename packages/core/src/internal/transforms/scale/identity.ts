/** Updates as they are, and none. */
import { zerosLike } from "../../../Expr.ts"
import { stateless, type Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/**
 * Updates as they are: what leaves a place in a chain empty.
 *
 * Has no state. Source: `optax.identity`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(Transform.update(Transform.identity(), { w: 3 }, null), ({ updates }) => updates.w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3)
 * ```
 */
export const identity = (): Transform<Stateless> => stateless({ name: "identity" }, (u) => u)

/**
 * Updates of zero, which leave the parameters as they are.
 *
 * Has no state. In a `partition` it freezes a group (see `freeze`). Source: `optax.set_to_zero`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const zero = Transform.setToZero()
 * const program = Effect.map(Transform.update(zero, { w: NaN }, null), ({ updates }) => updates.w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 0) // whatever it was
 * ```
 */
export const setToZero = (): Transform<Stateless> => stateless({ name: "setToZero" }, zerosLike)
