/** A transform that works at some steps only. */
import { zerosLike } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import * as Scalar from "../../../Scalar.ts"
import { increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** Whether a transform works at a step t = 0, 1, …. */
export type Condition = (step: number) => boolean

/** The state of the transform within, and how many updates there were, whether it worked or not. */
export interface ConditionalState<S> {
  readonly innerState: S
  readonly step: Scalar.Scalar
}

const conditional = <S, Needs extends string>(
  name: string,
  inner: Transform<S, Needs>,
  shouldTransform: Condition,
  otherwise: (updates: Parameters<typeof inner.update>[0]) => Parameters<typeof inner.update>[0]
): Transform<ConditionalState<S>, Needs> => {
  const holds: Scalar.Compute = (step = Number.NaN) => Number(shouldTransform(step))
  return {
    name: `${name}(${inner.name})`,
    hyperParameters: inner.hyperParameters,
    needs: inner.needs,
    init: (params) => ({ innerState: inner.init(params), step: zero }),
    update: (updates, { innerState, step }, context) => {
      const next = context.branch(Scalar.apply(name, holds, step))
        ? inner.update(updates, innerState, context)
        : { updates: otherwise(updates), state: innerState }
      return { updates: next.updates, state: { innerState: next.state, step: increment(step) } }
    }
  }
}

/**
 * A transform that works when a condition on the step holds; else updates pass unchanged, and its state stays.
 *
 * The host decides, so a step without the transform does none of its work. State: `innerState`, and `step`, which counts
 * every update. Source: `optax.conditionally_transform`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const even = Transform.conditionallyTransform(Transform.scale({ stepSize: 10 }), (step) => step % 2 === 0)
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(even, { w: 1 }, yield* Transform.init(even, { w: 0 }))
 *   const second = yield* Transform.update(even, { w: 1 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [10, 1])
 * ```
 */
export const conditionallyTransform = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  shouldTransform: Condition
): Transform<ConditionalState<S>, Needs> =>
  conditional("conditionallyTransform", inner, shouldTransform, (updates) => updates)

/**
 * A transform that works when a condition on the step holds; else updates are zero, and its state stays.
 *
 * State as that of `conditionallyTransform`. Source: `optax.conditionally_mask`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const even = Transform.conditionallyMask(Transform.scale({ stepSize: 10 }), (step) => step % 2 === 0)
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(even, { w: 1 }, yield* Transform.init(even, { w: 0 }))
 *   const second = yield* Transform.update(even, { w: 1 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [10, 0])
 * ```
 */
export const conditionallyMask = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  shouldTransform: Condition
): Transform<ConditionalState<S>, Needs> =>
  conditional("conditionallyMask", inner, shouldTransform, (updates) => Leaves.map(updates, (u) => zerosLike(u)))
