/** The mean of updates. */
import { ema as average, type Expr, zerosLike } from "../../../Expr.ts"
import { decay as decayRange } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { counting, type Counted, type SlotLists } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { debiased } from "../../transform/words.ts"

/** What `ema` is made with. */
export interface EmaOptions {
  /** The share of the mean that is kept, 0 ≤ decay < 1. */
  readonly decay: Hyper
  /** Take the bias towards zero out of what is returned? Default true. */
  readonly debias?: boolean | undefined
}

/** The mean of updates, and how many there were. */
export type EmaState = Counted & SlotLists<{ readonly ema: Expr }>

/**
 * The exponential moving average of updates.
 *
 *     m ← decay·m + (1−decay)·u        u ← m / (1 − decay^t)        t = 1, 2, …
 *
 * Without `debias` the update is m itself. State: `count`, and `ema`, which is kept with its bias, zero at first. Unlike
 * `trace` it weighs the updates so that the size of their mean is theirs. Throws `InvalidHyperParameter` unless
 * 0 ≤ decay < 1. Source: Kingma & Ba 2015, section 3; `optax.ema`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const mean = Transform.ema({ decay: 0.5 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(mean, { w: 3 }, yield* Transform.init(mean, { w: 0 }))
 *   const second = yield* Transform.update(mean, { w: 0 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * // The mean of one number is the number; of two, the later weighs twice the earlier.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [3, 1])
 * ```
 */
export const ema = ({ debias = true, ...options }: EmaOptions): Transform<EmaState> => {
  const { decay } = checked("ema", { decay: options.decay }, { decay: decayRange })
  return counting({
    name: "ema",
    hyperParameters: plain({ decay, debias }),
    init: (p) => ({ ema: zerosLike(p) }),
    update: (u, state, t) => {
      const ema = average(decay, state.ema, u)
      return { update: debias ? debiased(decay, ema, t) : ema, ema }
    }
  })
}
