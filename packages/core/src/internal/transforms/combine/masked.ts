/** A transform for some of the leaves. */
import * as Leaves from "../../../Leaves.ts"
import { type Mask, maskOf } from "../../transform/mask.ts"
import type { Context, Partial, Transform } from "../../transform/transform.ts"

/** What the transform within sees of the context: the parameters of its own leaves. */
export const contextOf = <Needs extends string>(
  context: Context<Needs>,
  keep: (position: number) => boolean
): Context<Needs> =>
  "params" in context && Leaves.isLeaves(context.params)
    ? { ...context, params: Leaves.select(context.params, keep) }
    : context

/**
 * A transform for the leaves that a mask means; the updates of the others pass unchanged.
 *
 * Passing unchanged is not freezing: what is masked out keeps its gradient as update (see `freeze`). State: that of the
 * transform, which has no tensors for what is masked out; there its trees hold `null`. The mask is looked at while tracing.
 * Fails with `StructureMismatch` or `InvalidMask` where it does not fit the parameters. Source: `optax.masked`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const masked = Transform.masked(Transform.scaleByAdam(), { encoder: true, head: false })
 * const program = Effect.gen(function*() {
 *   const params = { encoder: { w: 1, b: 1 }, head: 1 }
 *   const { mu } = yield* Transform.init(masked, params)
 *   return [mu.encoder.w?.size, mu.encoder.b?.size, mu.head]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 1, null])
 * ```
 */
export const masked = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  mask: Mask
): Transform<Partial<S>, Needs> => {
  const name = `masked(${inner.name})`
  return {
    name,
    hyperParameters: inner.hyperParameters,
    needs: inner.needs,
    init: (params) => {
      const chosen = maskOf(name, mask, params)
      const kept = new Set(chosen.at.filter((_, index) => chosen.items[index] === true))
      // Lists of fewer leaves: what is missing is `null` for the user.
      return inner.init(Leaves.select(params, (position) => kept.has(position))) as Partial<S>
    },
    update: (updates, state, context) => {
      const chosen = maskOf(name, mask, updates)
      const kept = new Set(chosen.at.filter((_, index) => chosen.items[index] === true))
      const keep = (position: number): boolean => kept.has(position)
      const step = inner.update(Leaves.select(updates, keep), state as S, contextOf(context, keep))
      return { updates: Leaves.replace(updates, step.updates), state: step.state as Partial<S> }
    }
  }
}
