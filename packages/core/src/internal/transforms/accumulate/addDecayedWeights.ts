/** Weight decay. */
import { add, mul } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { decayRate } from "../../optimizer/hyperParameters.ts"
import { checked, plain, type Rate, rateAt } from "../../transform/hyper.ts"
import { type Mask, maskOf } from "../../transform/mask.ts"
import { type Counted, increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `addDecayedWeights` is made with. */
export interface AddDecayedWeightsOptions {
  /** λ: the share of the parameter that is added, or a schedule of it. Default 0. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly mask?: Mask
}

/**
 * Weight decay: `u ← u + λ(count)·p`, before the rate and so multiplied by it.
 *
 * State: `count`, which a schedule of λ sees. Needs the parameters, also when λ is 0. Leaves that the mask does not mean
 * pass unchanged. Throws `InvalidHyperParameter` unless λ is a finite number or a schedule.
 * Source: Loshchilov & Hutter 2019; `optax.add_decayed_weights`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const decay = Transform.addDecayedWeights({ weightDecay: 0.5 })
 * const program = Effect.gen(function*() {
 *   const params = { w: 4 }
 *   const { updates } = yield* Transform.update(decay, { w: 1 }, yield* Transform.init(decay, params), { params })
 *   return updates.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3) // 1 + 0.5·4
 * ```
 */
export const addDecayedWeights = ({ mask = true, ...options }: AddDecayedWeightsOptions = {}): Transform<
  Counted,
  "params"
> => {
  const name = "addDecayedWeights"
  const { weightDecay } = checked(name, { weightDecay: options.weightDecay ?? 0 }, { weightDecay: decayRate })
  const rate = rateAt(weightDecay)
  return {
    name,
    hyperParameters: plain({ weightDecay }),
    needs: { params: name },
    init: (params) => {
      maskOf(name, mask, params) // one that does not fit is better found now
      return { count: zero }
    },
    update: (updates, { count }, { params }) => {
      const decays = maskOf(name, mask, params)
      const next = Leaves.map(updates, params, decays, (u, p, isOn) => (isOn ? add(u, mul(rate(count), p)) : u))
      return { updates: next, state: { count: increment(count) } }
    }
  }
}
