/** Slow parameters that follow fast ones. */
import { add, type Expr, mul, sub } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import * as Scalar from "../../../Scalar.ts"
import { every, finite } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `lookahead` is made with. */
export interface LookaheadOptions {
  /** After how many updates fast and slow parameters meet, ≥ 1. */
  readonly syncPeriod: number
  /** α: how far the slow parameters go towards the fast ones when they meet. */
  readonly slowStepSize: Hyper
  /** Begin the fast transform anew whenever they meet? Default false. */
  readonly resetState?: boolean | undefined
}

/** The state of the fast transform, how long ago they met, and the slow parameters. */
export interface LookaheadState<S> {
  readonly fastState: S
  readonly stepsSinceSync: Scalar.Scalar
  readonly slow: Leaves.Leaves<Expr>
}

const meets: Scalar.Compute = (since = Number.NaN, period = Number.NaN) => Number(since >= period - 1)

/**
 * Lookahead: a fast transform explores, and after every k updates slow parameters go part of the way, from where the fast
 * ones start again.
 *
 *     every k-th update:  slow ← slow + α·(p + u − slow)        u ← slow − p
 *
 * The parameters that are trained are the fast ones; the slow ones are in the state, and are those to evaluate. State:
 * `fastState`, `stepsSinceSync`, `slow`, the parameters at first. Needs the parameters. Throws `InvalidHyperParameter`
 * unless k is an integer ≥ 1 and α is finite. Source: Zhang, Lucas, Hinton & Ba 2019; `optax.lookahead`, where the
 * parameters are a pair of fast and slow ones.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const descent = Transform.scale({ stepSize: -1 })
 * const lookahead = Transform.lookahead(descent, { syncPeriod: 1, slowStepSize: 0.5 })
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(lookahead, { w: 4 })
 *   const { params } = yield* Transform.apply(lookahead, { w: 2 }, state, { params: { w: 4 } })
 *   return params.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3) // half of the way to 2
 * ```
 */
export const lookahead = <S, Needs extends string>(
  fast: Transform<S, Needs>,
  { resetState = false, slowStepSize, syncPeriod }: LookaheadOptions
): Transform<LookaheadState<S>, Needs | "params"> => {
  const name = "lookahead"
  const h = checked(name, { syncPeriod, slowStepSize }, { syncPeriod: every, slowStepSize: finite })
  return {
    name: `${name}(${fast.name})`,
    hyperParameters: { ...fast.hyperParameters, ...plain({ syncPeriod, slowStepSize, resetState }) },
    needs: { params: name, ...fast.needs },
    init: (params) => ({ fastState: fast.init(params), stepsSinceSync: zero, slow: params }),
    update: (updates, state, context) => {
      const { params } = context
      const step = fast.update(updates, state.fastState, context)
      const due = Scalar.apply("meets", meets, state.stepsSinceSync, Scalar.constant(syncPeriod))
      if (!context.branch(due)) {
        const next = { fastState: step.state, stepsSinceSync: increment(state.stepsSinceSync), slow: state.slow }
        return { updates: step.updates, state: next }
      }
      const ahead = Leaves.map(params, step.updates, state.slow, (p, u, slow) => sub(add(p, u), slow))
      const slow = Leaves.map(state.slow, ahead, (slow, d) => add(slow, mul(h.slowStepSize, d)))
      const back = Leaves.map(step.updates, ahead, (u, d) => sub(u, mul(sub(1, h.slowStepSize), d)))
      const fastState = resetState ? fast.init(params) : step.state
      return { updates: back, state: { fastState, stepsSinceSync: zero, slow } }
    }
  }
}
