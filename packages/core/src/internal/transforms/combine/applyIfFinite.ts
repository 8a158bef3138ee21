/** Updates that are not finite are left out. */
import { type Expr, zerosLike } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import * as Scalar from "../../../Scalar.ts"
import { count } from "../../optimizer/hyperParameters.ts"
import { checked } from "../../transform/hyper.ts"
import { increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { nonFinite } from "./finite.ts"

/** What `applyIfFinite` is made with. */
export interface ApplyIfFiniteOptions {
  /** After so many updates in a row that were left out, the next one is applied whatever it is. */
  readonly maxConsecutiveErrors: number
}

/** What was left out, and the state of the transform within. */
export interface ApplyIfFiniteState<S> {
  /** How many updates in a row were not finite, up to the latest. */
  readonly notfiniteCount: Scalar.Scalar
  /** 1 if the latest update was finite, 0 if not. */
  readonly lastFinite: Scalar.Scalar
  /** How many were not finite, in all. */
  readonly totalNotfinite: Scalar.Scalar
  readonly innerState: S
}

const exceeds: Scalar.Compute = (found = Number.NaN, most = Number.NaN) => Number(found > most)

const one = Scalar.constant(1)

/**
 * A transform that is not given updates with infinite or undefined elements: then the update is zero, its state stays, and
 * the failure is counted. After `maxConsecutiveErrors` failures in a row the next such update passes all the same, so that
 * training that has gone wrong for good shows it.
 *
 * Whether all elements are finite is computed first and read back; on a GPU that waits for the device. State:
 * `notfiniteCount`, `lastFinite`, `totalNotfinite`, `innerState`. Throws `InvalidHyperParameter` unless
 * maxConsecutiveErrors is a natural number. Source: `optax.apply_if_finite`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const safe = Transform.applyIfFinite(Transform.trace({ decay: 0.9 }), { maxConsecutiveErrors: 3 })
 * const program = Effect.gen(function*() {
 *   const { state, updates } = yield* Transform.update(safe, { w: Infinity }, yield* Transform.init(safe, { w: 0 }))
 *   return [updates.w.dataSync()[0], state.innerState.trace.w.dataSync()[0], state.totalNotfinite]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 0, 1])
 * ```
 */
export const applyIfFinite = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  { maxConsecutiveErrors }: ApplyIfFiniteOptions
): Transform<ApplyIfFiniteState<S>, Needs> => {
  const name = `applyIfFinite(${inner.name})`
  checked("applyIfFinite", { maxConsecutiveErrors }, { maxConsecutiveErrors: count })
  return {
    name,
    hyperParameters: { ...inner.hyperParameters, maxConsecutiveErrors },
    needs: inner.needs,
    init: (params) => ({
      notfiniteCount: zero,
      lastFinite: one,
      totalNotfinite: zero,
      innerState: inner.init(params)
    }),
    update: (updates, state, context) => {
      const isWrong = context.branch(nonFinite(updates))
      const notfiniteCount = isWrong ? increment(state.notfiniteCount) : zero
      const passes =
        !isWrong ||
        context.branch(Scalar.apply("exceeds", exceeds, notfiniteCount, Scalar.constant(maxConsecutiveErrors)))
      const step = passes
        ? inner.update(updates, state.innerState, context)
        : { updates: Leaves.map(updates, (u: Expr) => zerosLike(u)), state: state.innerState }
      return {
        updates: step.updates,
        state: {
          notfiniteCount,
          lastFinite: isWrong ? zero : one,
          totalNotfinite: isWrong ? increment(state.totalNotfinite) : state.totalNotfinite,
          innerState: step.state
        }
      }
    }
  }
}
