/** Updates times a number. */
import { mul } from "../../../Expr.ts"
import { finite } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { stateless, type Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scale` is made with. */
export interface ScaleOptions {
  /** The factor, of either sign. */
  readonly stepSize: Hyper
}

/**
 * Updates times a number: `u ← s·u`.
 *
 * Has no state. Throws `InvalidHyperParameter` unless s is finite. Source: `optax.scale`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const scale = Transform.scale({ stepSize: -0.5 })
 * const program = Effect.map(Transform.update(scale, { w: 3 }, null), ({ updates }) => updates.w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), -1.5)
 * ```
 */
export const scale = (options: ScaleOptions): Transform<Stateless> => {
  const { stepSize } = checked("scale", { stepSize: options.stepSize }, { stepSize: finite })
  return stateless({ name: "scale", hyperParameters: plain({ stepSize }) }, (g) => mul(stepSize, g))
}
