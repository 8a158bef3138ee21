/** Transforms one after the other, with names. */
import { InvalidHyperParameter } from "../../../OptimError.ts"
import type { Any, NeedsOf, StateOf, Transform } from "../../transform/transform.ts"
import { chain } from "./chain.ts"

type Pairs = ReadonlyArray<readonly [name: string, transform: Any]>

/** The states of the transforms under their names. */
export type NamedChainState<T extends Pairs> = {
  readonly [Pair in T[number] as Pair[0]]: StateOf<Pair[1]>
}

/**
 * Transforms one after the other, whose states stand under names instead of positions.
 *
 * Needs what they need. Throws `InvalidHyperParameter` for a name that occurs twice. Source: `optax.named_chain`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const both = Transform.namedChain(
 *   ["clip", Transform.clipByGlobalNorm({ maxNorm: 1 })],
 *   ["momentum", Transform.trace({ decay: 0.9 })]
 * )
 * const program = Effect.gen(function*() {
 *   const { state } = yield* Transform.update(both, { w: 7 }, yield* Transform.init(both, { w: 0 }))
 *   return state.momentum.trace.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 1)
 * ```
 */
export const namedChain = <const T extends Pairs>(
  ...pairs: T
): Transform<NamedChainState<T>, NeedsOf<T[number][1]>> => {
  const names = pairs.map(([name]) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new InvalidHyperParameter({
      optimizer: "namedChain",
      parameter: "name",
      value: JSON.stringify(twice),
      expected: "a name that no other transform of the chain has"
    })
  const inOrder: Any = chain(...pairs.map(([, transform]) => transform))
  // A state for each name.
  const byName = (states: ReadonlyArray<unknown>): NamedChainState<T> =>
    Object.fromEntries(names.map((name, index) => [name, states[index]])) as NamedChainState<T>
  return {
    name: "namedChain",
    hyperParameters: inOrder.hyperParameters,
    needs: inOrder.needs,
    init: (params) => byName(inOrder.init(params)),
    update: (updates, states, context) => {
      const step = inOrder.update(
        updates,
        names.map((name) => states[name as keyof NamedChainState<T>]),
        context
      )
      return { updates: step.updates, state: byName(step.state) }
    }
  }
}
