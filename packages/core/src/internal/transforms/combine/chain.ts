/** Transforms one after the other. */
import type { HyperParameter, HyperParameters } from "../../optimizer/hyperParameters.ts"
import type { Any, NeedsOf, StateOf, Transform } from "../../transform/transform.ts"

/** The states of transforms, in their order. */
export type ChainState<T extends ReadonlyArray<Any>> = { readonly [K in keyof T]: StateOf<T[K]> }

/** The hyper-parameters of all; of two with one name, the later bears the name of its transform before it. */
export const hyperParametersOf = (transforms: ReadonlyArray<Any>): HyperParameters => {
  const all: Record<string, HyperParameter> = {}
  for (const { hyperParameters, name } of transforms)
    for (const [key, value] of Object.entries(hyperParameters)) all[key in all ? `${name}.${key}` : key] = value
  return all
}

/** What all of them need; who needs it first is named. */
export const needsOf = (transforms: ReadonlyArray<Any>): Any["needs"] => {
  const all: Record<string, string> = {}
  for (const { needs } of transforms) for (const [need, who] of Object.entries(needs)) all[need] ??= who
  return all
}

/**
 * Transforms one after the other: each gets the updates of the one before it.
 *
 * State: the list of their states. Needs what they need. The whole chain is traced into one program, so that what is done
 * element by element becomes one pass over memory, however many transforms it comes from. Source: `optax.chain`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const both = Transform.chain(Transform.scale({ stepSize: 10 }), Transform.clipByGlobalNorm({ maxNorm: 1 }))
 * const program = Effect.gen(function*() {
 *   const { updates } = yield* Transform.update(both, { w: 7 }, yield* Transform.init(both, { w: 0 }))
 *   return updates.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 1) // clipped last
 * ```
 */
export const chain = <T extends ReadonlyArray<Any>>(
  ...transforms: T
): Transform<ChainState<T>, NeedsOf<T[number]>> => ({
  name: "chain",
  hyperParameters: hyperParametersOf(transforms),
  fixed: transforms.flatMap(({ fixed = [] }) => fixed),
  needs: needsOf(transforms),
  // One state for each transform, in their order.
  init: (params) => transforms.map((transform) => transform.init(params) as unknown) as ChainState<T>,
  update: (updates, states, context) => {
    let current = updates
    const next = transforms.map((transform, index): unknown => {
      const step = transform.update(current, states[index], context)
      current = step.updates
      return step.state
    })
    return { updates: current, state: next as ChainState<T> }
  }
})
