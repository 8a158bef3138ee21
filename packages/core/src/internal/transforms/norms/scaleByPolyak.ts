/** Polyak's step size. */
import { add, div, lessEqual, maximum, minimum, mul, sub, where } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { bound, finite, nonNegative, oneOf } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import type { Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByPolyak` is made with. */
export interface ScaleByPolyakOptions {
  /** The least value that the loss can have. Default 0. */
  readonly fMin?: Hyper | undefined
  /** The largest step size, ≥ 0. Default 1. */
  readonly maxLearningRate?: Hyper | undefined
  /** Added to the squared norm, ≥ 0. Default 0. */
  readonly eps?: Hyper | undefined
  /** With `"sps+"` a loss below `fMin` gives no step, with `"sps"` one up the gradient. Default `"sps"`. */
  readonly variant?: "sps" | "sps+" | undefined
}

/** The least squared norm by which is divided: that of float64, as in the reference, though all is float32 here. */
const leastSquaredNorm = 2 ** -52

/**
 * Polyak's step size: the step after which a linear loss would be at its least.
 *
 *     η = min((f − fMin) / (‖u‖² + eps), maxLearningRate)        u ← η·u
 *
 * ‖u‖ is the norm of the whole tree; where ‖u‖² + eps ≤ 2⁻⁵² the update is 0. Has no state. Needs `value`, the loss f at
 * the parameters. Throws `InvalidHyperParameter` unless fMin is finite and maxLearningRate, eps ≥ 0.
 * Source: Loizou, Vaswani, Laradji & Lacoste-Julien 2021 (`sps`); Garrigos, Gower & Schaipp 2023 (`sps+`);
 * `optax.scale_by_polyak`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const polyak = Transform.scaleByPolyak({ maxLearningRate: Infinity })
 * // The loss 3·|x| at x = 5 has the gradient 3: one step leads to the minimum.
 * const program = Effect.map(Transform.update(polyak, { x: 3 }, null, { value: 15 }), ({ updates }) => updates.x.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 5)
 * ```
 */
export const scaleByPolyak = ({
  eps = 0,
  fMin = 0,
  maxLearningRate = 1,
  variant = "sps"
}: ScaleByPolyakOptions = {}): Transform<Stateless, "value"> => {
  const name = "scaleByPolyak"
  const ranges = { fMin: finite, maxLearningRate: bound, eps: nonNegative, variant: oneOf("sps", "sps+") }
  const h = checked(name, { fMin, maxLearningRate, eps, variant }, ranges)
  return {
    name,
    hyperParameters: plain(h),
    needs: { value: name },
    init: () => null,
    update: (updates, state, { value }) => {
      const gap = variant === "sps+" ? maximum(sub(value, h.fMin), 0) : sub(value, h.fMin)
      const divisor = add(Leaves.squaredNorm(updates), h.eps)
      const step = minimum(div(gap, divisor), h.maxLearningRate)
      const rate = where(lessEqual(divisor, leastSquaredNorm), 0, step)
      return { updates: Leaves.map(updates, (u) => mul(rate, u)), state }
    }
  }
}
