/** Updates times a number that changes. */
import { mul } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { decayRate } from "../../optimizer/hyperParameters.ts"
import { checked, plain, type Rate, rateAt } from "../../transform/hyper.ts"
import { type Counted, increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleBySchedule` is made with. */
export interface ScaleByScheduleOptions {
  /** The factor, of either sign: a schedule, or a function of the count of updates. */
  readonly stepSizeFn: Rate
}

/**
 * Updates times a number that changes: `u ← s(count)·u`.
 *
 * State: `count`, which the schedule sees before it is counted up: the first update takes s(0). The sign stays as it is;
 * `scaleByLearningRate` turns it. An update fails with `NonFinite` where the schedule gives no finite number. Throws
 * `InvalidHyperParameter` unless s is a schedule, a function or a finite number. Source: `optax.scale_by_schedule`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const growing = Transform.scaleBySchedule({ stepSizeFn: (count) => count + 1 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(growing, { w: 5 }, yield* Transform.init(growing, { w: 0 }))
 *   const second = yield* Transform.update(growing, { w: 5 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [5, 10])
 * ```
 */
export const scaleBySchedule = (options: ScaleByScheduleOptions): Transform<Counted> => {
  const name = "scaleBySchedule"
  const { stepSizeFn } = checked(name, { stepSizeFn: options.stepSizeFn }, { stepSizeFn: decayRate })
  const factorAt = rateAt(stepSizeFn)
  return {
    name,
    hyperParameters: plain({ stepSizeFn }),
    needs: {},
    init: () => ({ count: zero }),
    update: (updates, { count }) => {
      const factor = factorAt(count)
      return { updates: Leaves.map(updates, (u) => mul(factor, u)), state: { count: increment(count) } }
    }
  }
}
