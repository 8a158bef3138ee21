/** Zeros in the place of what is undefined. */
import { type Expr, full, max, notEqual, where } from "../../../Expr.ts"
import { sizeOf } from "../../trace/shape.ts"
import { type SlotLists, withSlots } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** For each leaf 1 if there was a NaN in its latest update, 0 if not. */
export type ZeroNansState = SlotLists<{ readonly foundNan: Expr }>

const no: Expr = full({ shape: [], dtype: "float32" }, 0)

/**
 * Updates with 0 for every NaN; infinities pass.
 *
 * State: `foundNan`, for each leaf a tensor of shape [] that is 1 if there was a NaN in the latest update and 0 if not; of
 * float32, because so it is found in the pass that replaces them (the reference has booleans). Nothing is read back.
 * Source: `optax.zero_nans`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const zero = Transform.zeroNans()
 * const program = Effect.gen(function*() {
 *   const initial = yield* Transform.init(zero, { a: 0, b: 0 })
 *   const { state: { foundNan }, updates } = yield* Transform.update(zero, { a: NaN, b: Infinity }, initial)
 *   return [updates.a, updates.b, foundNan.a, foundNan.b].map((tensor) => tensor.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, Infinity, 1, 0])
 * ```
 */
export const zeroNans = (): Transform<ZeroNansState> =>
  withSlots({
    name: "zeroNans",
    init: () => ({ foundNan: no }),
    update: (u) => {
      const isNaN = notEqual(u, u)
      return { update: where(isNaN, 0, u), foundNan: sizeOf(u.shape) === 0 ? no : max(where(isNaN, 1, 0)) }
    }
  })
