/** Momentum. */
import { add, type Expr, mul, zerosLike } from "../../../Expr.ts"
import { mass } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { type SlotLists, withSlots } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `trace` is made with. */
export interface TraceOptions {
  /** The share of the trace that is kept, 0 ≤ decay ≤ 1. */
  readonly decay: Hyper
  /** Look one step ahead? Default false. */
  readonly nesterov?: boolean | undefined
}

/** The decayed sum of updates. */
export type TraceState = SlotLists<{ readonly trace: Expr }>

/**
 * Momentum: the decayed sum of updates, `trace ← g + decay·trace`, without dampening.
 *
 * The update is the trace, or with `nesterov` the trace that the next step would have, `g + decay·trace`. State: `trace`,
 * zero at first. Throws `InvalidHyperParameter` unless 0 ≤ decay ≤ 1.
 * Source: Sutskever et al. 2013; `optax.trace`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const momentum = Transform.trace({ decay: 0.5 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(momentum, { w: 2 }, yield* Transform.init(momentum, { w: 0 }))
 *   const second = yield* Transform.update(momentum, { w: 2 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * // Under the same gradient the second update is 1 + decay times the first.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [2, 3])
 * ```
 */
export const trace = ({ nesterov = false, ...options }: TraceOptions): Transform<TraceState> => {
  const { decay } = checked("trace", { decay: options.decay }, { decay: mass })
  return withSlots({
    name: "trace",
    hyperParameters: plain({ decay, nesterov }),
    init: (p) => ({ trace: zerosLike(p) }),
    update: (g, state) => {
      const trace = add(g, mul(decay, state.trace))
      return { update: nesterov ? add(g, mul(decay, trace)) : trace, trace }
    }
  })
}
