/** A transform that is given more than it needs. */
import type { Transform } from "../../transform/transform.ts"

/**
 * The transform, which may also be given arguments that it does not look at, so that one loop fits several optimizers.
 *
 * Only the type changes: the arguments that are named must be given where the transform is applied. Within a chain it is
 * not needed, since a chain takes what its members take. Source: `optax.with_extra_args_support`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const descent = Transform.scale({ stepSize: -1 })
 * // Both are updated with { params, value }; the second looks at neither.
 * const optimizers = {
 *   polyak: Transform.polyakSgd(),
 *   descent: Transform.withExtraArgs(descent, "params", "value")
 * }
 * const given = { params: { w: 1 }, value: 0.5 }
 * const update = Transform.update(optimizers.descent, { w: 3 }, null, given)
 * const { updates } = await Effect.runPromise(update.pipe(Effect.provide(Cpu.layer)))
 * assert.strictEqual(updates.w.dataSync()[0], -3)
 * ```
 */
export const withExtraArgs = <S, Needs extends string, Extra extends string>(
  transform: Transform<S, Needs>,
  ..._extra: ReadonlyArray<Extra>
): Transform<S, Needs | Extra> => transform
