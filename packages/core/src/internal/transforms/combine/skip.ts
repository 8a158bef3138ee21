/** When an update is to be left out. */
import { type Expr, full, lessEqual, where } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { bound } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper } from "../../transform/hyper.ts"
import { nonFinite } from "./finite.ts"

/** A rule that says whether an update is to be left out, with what it measured for that. */
export interface SkipRule<M> {
  readonly name: string
  /** The measurements of an update; `shouldSkip` is not 0 if it is to be left out. */
  readonly measure: (updates: Leaves.Leaves<Expr>) => M & { readonly shouldSkip: Expr }
}

/**
 * Leave out updates with infinite or undefined elements, for `multiSteps`. Measures `numNotFinite`, how many there are.
 * Source: `optax.skip_not_finite`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const inner = Transform.scale({ stepSize: 1 })
 * const steps = Transform.multiSteps(inner, { everyKSchedule: 2, shouldSkipUpdateFn: Transform.skipNotFinite })
 * const program = Effect.gen(function*() {
 *   const { state } = yield* Transform.update(steps, { w: NaN }, yield* Transform.init(steps, { w: 0 }))
 *   return [state.miniStep, state.skipState?.numNotFinite.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 1])
 * ```
 */
export const skipNotFinite: SkipRule<{ readonly numNotFinite: Expr }> = {
  name: "skipNotFinite",
  measure: (updates) => {
    const numNotFinite = nonFinite(updates)
    return { numNotFinite, shouldSkip: numNotFinite }
  }
}

/** What `skipLargeUpdates` is made with. */
export interface SkipLargeUpdatesOptions {
  /** The largest Σ⟨u, u⟩ that is not left out, ≥ 0. */
  readonly maxSquaredNorm: Hyper
}

/**
 * Leave out updates whose squared norm, over the whole tree, is above a bound or undefined, for `multiSteps`. Measures
 * `normSquared`. Throws `InvalidHyperParameter` unless maxSquaredNorm ≥ 0. Source: `optax.skip_large_updates`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const inner = Transform.scale({ stepSize: 1 })
 * const shouldSkipUpdateFn = Transform.skipLargeUpdates({ maxSquaredNorm: 24 })
 * const steps = Transform.multiSteps(inner, { everyKSchedule: 2, shouldSkipUpdateFn })
 * const program = Effect.gen(function*() {
 *   const { state } = yield* Transform.update(steps, { w: 5 }, yield* Transform.init(steps, { w: 0 }))
 *   return [state.miniStep, state.skipState?.normSquared.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 25])
 * ```
 */
export const skipLargeUpdates = (options: SkipLargeUpdatesOptions): SkipRule<{ readonly normSquared: Expr }> => {
  const name = "skipLargeUpdates"
  const { maxSquaredNorm } = checked(name, { maxSquaredNorm: options.maxSquaredNorm }, { maxSquaredNorm: bound })
  return {
    name,
    measure: (updates) => {
      const normSquared = Leaves.squaredNorm(updates)
      // A norm that is no number is not at most the bound.
      return { normSquared, shouldSkip: where(lessEqual(normSquared, maxSquaredNorm), 0, full(normSquared, 1)) }
    }
  }
}
