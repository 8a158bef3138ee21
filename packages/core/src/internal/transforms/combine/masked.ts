/** A transform for some of the leaves. */
import type { Expr } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { type Mask, maskOf } from "../../transform/mask.ts"
import type { Context, Partial, Transform } from "../../transform/transform.ts"

/** What the transform within sees of the context: the parameters of its own leaves. */
const contextOf = <Needs extends string>(
  context: Context<Needs>,
  keep: (position: number) => boolean
): Context<Needs> =>
  "params" in context && Leaves.isLeaves(context.params)
    ? { ...context, params: Leaves.select(context.params, keep) }
    : context

/** The state of the transform within, with `null` at the leaves that are masked out. */
export interface MaskedState<S> {
  readonly innerState: Partial<S>
}

type Chosen = (leaves: Leaves.Leaves<Expr>) => Leaves.Leaves<boolean>

/** A transform for the leaves that are chosen while tracing; the others pass. */
export const onChosen = <S, Needs extends string>(
  name: string,
  inner: Transform<S, Needs>,
  chosen: Chosen
): Transform<MaskedState<S>, Needs> => {
  const keepOf = (leaves: Leaves.Leaves<Expr>): ((position: number) => boolean) => {
    const { at, items } = chosen(leaves)
    const kept = new Set(at.filter((_, index) => items[index] === true))
    return (position) => kept.has(position)
  }
  return {
    name,
    hyperParameters: inner.hyperParameters,
    needs: inner.needs,
    // Lists of fewer leaves are what `Partial` says of them: what is missing is `null` for the user.
    init: (params) => ({ innerState: inner.init(Leaves.select(params, keepOf(params))) as Partial<S> }),
    update: (updates, { innerState }, context) => {
      const keep = keepOf(updates)
      const step = inner.update(Leaves.select(updates, keep), innerState as S, contextOf(context, keep))
      return { updates: Leaves.replace(updates, step.updates), state: { innerState: step.state as Partial<S> } }
    }
  }
}

/**
 * A transform for the leaves that a mask means; the updates of the others pass unchanged.
 *
 * Passing unchanged is not freezing: what is masked out keeps its gradient as update (see `freeze`). State: `innerState`,
 * which has no tensors for what is masked out; there its trees hold `null`. The mask is looked at while tracing. Fails with
 * `StructureMismatch` or `InvalidMask` where it does not fit the parameters. Source: `optax.masked`.
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
 *   const { innerState: { mu } } = yield* Transform.init(masked, { encoder: { w: 1, b: 1 }, head: 1 })
 *   return [mu.encoder.w?.size, mu.encoder.b?.size, mu.head]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 1, null])
 * ```
 */
export const masked = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  mask: Mask
): Transform<MaskedState<S>, Needs> => {
  const name = `masked(${inner.name})`
  return onChosen(name, inner, (leaves) => maskOf(name, mask, leaves))
}
