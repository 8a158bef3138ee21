/** All leaves as one vector. */
import { PyTree } from "@optim/pytree"
import { concat, type Expr, full, reshape, slice } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import type { Scalar } from "../../../Scalar.ts"
import { sizeOf } from "../../trace/shape.ts"
import type { Context, Transform } from "../../transform/transform.ts"

/** A state with one tensor where there was one for each leaf. */
export type Flattened<S> =
  S extends Leaves.Leaves<infer A>
    ? A
    : S extends Expr | Scalar
      ? S
      : S extends ReadonlyArray<unknown> | object
        ? { readonly [K in keyof S]: Flattened<S[K]> }
        : S

const vector = PyTree.structure(0)

const join = ({ items }: Leaves.Leaves<Expr>): Leaves.Leaves<Expr> => {
  const parts = items.map((item) => reshape(item, [sizeOf(item.shape)]))
  return Leaves.make(vector, [parts.length === 0 ? full({ shape: [0], dtype: "float32" }, 0) : concat(parts)])
}

const split = (joined: Leaves.Leaves<Expr>, like: Leaves.Leaves<Expr>): Leaves.Leaves<Expr> => {
  let start = 0
  return Leaves.map(like, ({ shape }) => {
    const size = sizeOf(shape)
    start += size
    return reshape(slice(joined.items[0] as Expr, start - size, size), shape)
  })
}

/**
 * A transform that sees all leaves as one vector, in the order of the tree.
 *
 * What a transform measures for each leaf it then measures for the whole. State: that of the transform for a single vector.
 * With fused kernels leaves cost little, and joining them costs two copies; this is for what should be measured as one.
 * Source: `optax.flatten`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const flat = Transform.flatten(Transform.scaleByAdam())
 * const init = Transform.init(flat, { a: [1, 2], b: 3 })
 * const { mu } = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(mu.shape, [3])
 * ```
 */
export const flatten = <S, Needs extends string>(inner: Transform<S, Needs>): Transform<Flattened<S>, Needs> => ({
  name: `flatten(${inner.name})`,
  hyperParameters: inner.hyperParameters,
  needs: inner.needs,
  // A list of one leaf whose tree is that leaf: what the user sees is what `Flattened` says.
  init: (params) => inner.init(join(params)) as Flattened<S>,
  update: (updates, state, context) => {
    const joined: Context<Needs> =
      "params" in context && Leaves.isLeaves(context.params)
        ? // The parameters are symbolic tensors.
          { ...context, params: join(context.params as Leaves.Leaves<Expr>) }
        : context
    const step = inner.update(join(updates), state as S, joined)
    return { updates: split(step.updates, updates), state: step.state as Flattened<S> }
  }
})
