/** Transforms run for a few steps on trees of numbers, with what comes out as plain data. */
import { Transform } from "@optim/core"
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

const plain = (tree: unknown): unknown =>
  PyTree.map(tree, (leaf: unknown) => {
    if (typeof leaf === "number") return leaf
    const tensor = leaf as Tensor
    const numbers = Array.from(tensor.dataSync(), Number)
    return tensor.rank === 0 ? numbers[0] : numbers
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
    updates.push(plain(step.updates))
    state = step.state
  }
  return { updates, state: plain(state) }
})
