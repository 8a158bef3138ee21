/** Transforms on the golden trees of the catalogue: one step after the other, and what comes of them. */
import { Tensors, Transform } from "@optim/core"
import { KeyPath, PyTree } from "@optim/pytree"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isArray, toTensors } from "./golden.ts"
import type { Case } from "./transforms.ts"

export const owned = <A>(make: () => A): Effect.Effect<A, never, Scope.Scope> => Tensors.scoped(Effect.sync(make))

export type Leaf = tf.Tensor | number

export const leavesOf = (tree: unknown): ReadonlyArray<Leaf> => PyTree.leaves(tree) as ReadonlyArray<Leaf>

/** The gradients of a step; the records' come again and again. */
export const slopes = ({ grads }: Case, step: number): unknown => toTensors(grads[step % grads.length])

/** What goes with them. */
export const given = ({ values }: Case, params: unknown, step: number) => ({
  params,
  value: values[step % Math.max(1, values.length)] ?? 0
})

/** What is trained: the parameters and the state. */
export interface Training {
  readonly params: unknown
  readonly state: unknown
}

/** Parameters and the state before the first step. */
export const begun = Effect.fnUntraced(function* (transform: Transform.Any, { params: tree }: Case) {
  const params = toTensors(tree)
  const state: unknown = yield* Transform.init(transform, params)
  return { params, state } satisfies Training
})

/** The key paths of a golden tree. */
export const pathsOf = (tree: unknown): ReadonlyArray<string> => {
  const [leaves] = PyTree.flattenWithPath(tree, { isLeaf: isArray })
  return leaves.map(([path]) => KeyPath.keystr(path))
}

/** The tensors of a state with their paths. */
export const tensorsIn = (state: unknown): ReadonlyArray<readonly [string, tf.Tensor]> => {
  const [leaves] = PyTree.flattenWithPath(state)
  return leaves.flatMap(([path, leaf]): ReadonlyArray<readonly [string, tf.Tensor]> => {
    const found: unknown = leaf
    return found instanceof tf.Tensor ? [[KeyPath.keystr(path), found]] : []
  })
}
