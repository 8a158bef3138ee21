/** The step against the gradient, by a rate that may change. */
import { mul, neg } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { stepSize } from "../../optimizer/hyperParameters.ts"
import { checked, plain, type Rate, rateAt } from "../../transform/hyper.ts"
import { type Counted, increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByLearningRate` is made with. */
export interface ScaleByLearningRateOptions {
  /** η: the rate, a schedule of it, or a function of the count of updates. */
  readonly learningRate: Rate
  /** Step against the gradient? Default true. */
  readonly flipSign?: boolean | undefined
}

/**
 * The step against the gradient: `u ← −η(count)·u`, or `η(count)·u` without the flip of the sign.
 *
 * This is where a chain turns from gradients to updates that are added; the sign changes here and nowhere else. State:
 * `count`, which a schedule sees before it is counted up: the first update takes η(0). A rate that is a number is counted
 * too, so that a state does not depend on whether its rate has a schedule. Throws `InvalidHyperParameter` unless η is a
 * finite number ≥ 0 or a schedule. Source: `optax.scale_by_learning_rate`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const halving = Transform.scaleByLearningRate({ learningRate: (count) => 2 ** -count })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(halving, { w: 1 }, yield* Transform.init(halving, { w: 0 }))
 *   const second = yield* Transform.update(halving, { w: 1 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, -0.5])
 * ```
 */
export const scaleByLearningRate = ({
  flipSign = true,
  ...options
}: ScaleByLearningRateOptions): Transform<Counted> => {
  const name = "scaleByLearningRate"
  const { learningRate } = checked(name, { learningRate: options.learningRate }, { learningRate: stepSize })
  const rate = rateAt(learningRate)
  return {
    name,
    hyperParameters: plain({ learningRate }),
    needs: {},
    init: () => ({ count: zero }),
    update: (updates, { count }) => {
      const factor = flipSign ? neg(rate(count)) : rate(count)
      return { updates: Leaves.map(updates, (u) => mul(factor, u)), state: { count: increment(count) } }
    }
  }
}
