/** Measurements in the state. */
import type { NeedsOfFn } from "../../transform/given.ts"
import type { Transform } from "../../transform/transform.ts"
import { type Measure, type Measured, type MeasureFn, toMeasure } from "./measure.ts"

// A measure is invariant in its state, so no other type holds all of them
// oxlint-disable-next-line typescript/no-explicit-any
type AnyMeasure = Measure<any, unknown, any>

/** Measures under their names: functions, or measures that remember. */
export interface Measures {
  readonly [name: string]: MeasureFn | AnyMeasure
}

type AsMeasure<T> = T extends MeasureFn ? Measure<null, ReturnType<T>, NeedsOfFn<T>> : T extends AnyMeasure ? T : never

type MeasurementOf<T> = AsMeasure<T> extends Measure<infer _S, infer M, infer _N> ? M : never

type StateOfMeasure<T> = AsMeasure<T> extends Measure<infer S, infer _M, infer _N> ? S : never

type NeedsOfMeasure<T> = AsMeasure<T> extends Measure<infer _S, infer _M, infer Needs> ? Needs : never

/** What was measured at the latest update, by name, and what the measures remember, in their order. */
export interface MonitorState<T extends Measures> {
  readonly measurements: { readonly [Name in keyof T]: MeasurementOf<T[Name]> }
  readonly measureStates: ReadonlyArray<StateOfMeasure<T[keyof T]>>
}

/**
 * Measurements of the updates at this place of a chain, kept in the state; the updates pass unchanged.
 *
 * A measure is a function as for `snapshot`, or one that remembers, such as `measureWithEma`. All are computed on the device
 * with the update; nothing is read back until the user reads the state. State: `measurements`, under the names of the
 * measures and NaN before the first update, and the list `measureStates`. Needs the parameters if a measure does.
 * Source: `optax.monitor`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Expr, Leaves, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const monitor = Transform.monitor({
 *   norm: Leaves.globalNorm,
 *   ratio: (updates, params) => Expr.div(Leaves.globalNorm(updates), Leaves.globalNorm(params))
 * })
 * const program = Effect.gen(function*() {
 *   const params = { a: 6, b: 8 }
 *   const initial = yield* Transform.init(monitor, params)
 *   const { state: { measurements: { norm, ratio } } } = yield* Transform.update(monitor, { a: 3, b: 4 }, initial, { params })
 *   return [norm.dataSync()[0], ratio.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [5, 0.5])
 * ```
 */
export const monitor = <const T extends Measures>(
  measures: T
): Transform<MonitorState<T>, NeedsOfMeasure<T[keyof T]>> => {
  const names = Object.keys(measures)
  const all = Object.values(measures).map((measure): AnyMeasure =>
    typeof measure === "function" ? toMeasure(measure) : measure
  )
  // A measurement and a state for each name.
  const stateOf = (each: ReadonlyArray<Measured<unknown, unknown>>): MonitorState<T> =>
    ({
      measurements: Object.fromEntries(each.map(({ measurement }, index) => [names[index], measurement])),
      measureStates: each.map(({ state }) => state)
    }) as MonitorState<T>
  return {
    name: "monitor",
    hyperParameters: {},
    needs: all.some(({ takesParams }) => takesParams) ? { params: "monitor" } : {},
    init: (params) => stateOf(all.map((measure) => measure.init(params))),
    update: (updates, { measureStates }, context) => ({
      updates,
      state: stateOf(all.map((measure, index) => measure.update(updates, measureStates[index], context)))
    })
  }
}
