/** Transforms run for a few steps on trees of numbers, with what comes out as plain data. */
import { Transform } from "@optim/core"
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { inParallel, values } from "./numbers.ts"

const plain = (tree: unknown): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    const [leaves, treeDef] = PyTree.flatten(tree)
    const numbers = yield* values(leaves)
    const isNumber = (leaf: unknown): boolean => typeof leaf === "number" || (leaf as Tensor).rank === 0
    return PyTree.unflatten(
      treeDef,
      leaves.map((leaf: unknown, index) => (isNumber(leaf) ? numbers[index]?.[0] : numbers[index]))
    )
  })

/**
 * A step for each of the gradients, all with the same parameters and whatever else is given. Gives what each step returned
 * and the state after the last one: a number for a tensor of shape [], an array of them for any other.
 */
export const ran = Effect.fnUntraced(function* (
  transform: Transform.Any,
  params: unknown,
  gradients: ReadonlyArray<unknown>,
  given: object = {}
) {
  const updates: Array<unknown> = []
  let state: unknown = yield* Transform.init(transform, params)
  for (const grads of gradients) {
    const step = yield* Transform.update(transform, grads, state, { params, ...given })
    updates.push(step.updates)
    state = step.state
  }
  return { updates: yield* inParallel(updates, plain), state: yield* plain(state) }
})
