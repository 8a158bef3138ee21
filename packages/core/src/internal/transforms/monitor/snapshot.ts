/** A measurement in the state. */
import { type NeedsOfFn, takesParams } from "../../transform/given.ts"
import type { Transform } from "../../transform/transform.ts"
import { measuredBy, type MeasureFn } from "./measure.ts"

/** A measurement under its name. */
export interface SnapshotState<Name extends string, M> {
  readonly measurement: { readonly [N in Name]: M }
}

/**
 * A measurement of the updates at this place of a chain, kept in the state; the updates pass unchanged.
 *
 * `measure` is traced: it says in words of `Expr` and `Leaves` what is computed of the updates, and of the parameters if it
 * takes a second argument, which makes them needed. It is computed on the device, and nothing is read back until the user
 * reads the state. State: `measurement`, under the name; before the first update that of the parameters.
 * Source: `optax.snapshot`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Leaves, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const clipped = Transform.chain(Transform.snapshot("norm", Leaves.globalNorm), Transform.clipByGlobalNorm({ maxNorm: 1 }))
 * const program = Effect.gen(function*() {
 *   const initial = yield* Transform.init(clipped, { a: 0, b: 0 })
 *   const { state: [{ measurement }] } = yield* Transform.update(clipped, { a: 3, b: 4 }, initial)
 *   return measurement.norm.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 5) // as it was before
 * ```
 */
export const snapshot = <Name extends string, F extends MeasureFn>(
  measureName: Name,
  measure: F
): Transform<SnapshotState<Name, ReturnType<F>>, NeedsOfFn<F>> => {
  // One measurement under the one name.
  const named = (measurement: ReturnType<F>) =>
    ({ measurement: { [measureName]: measurement } }) as SnapshotState<Name, ReturnType<F>>
  return {
    name: "snapshot",
    hyperParameters: {},
    needs: takesParams(measure) ? { params: "snapshot" } : {},
    init: (params) => named(measuredBy(measure, params, { params })),
    update: (updates, _, context) => ({ updates, state: named(measuredBy(measure, updates, context)) })
  }
}
