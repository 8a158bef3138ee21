/**
 * Reverse-mode derivatives by tfjs' tape.
 *
 * Each parameter reaches the loss under a handle of its own, so that one tensor standing at two leaves has two
 * gradients; and each gradient leaves under a handle of its own, so that every leaf can be disposed or donated alone.
 */
import { PyTree } from "@optim/pytree"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Result from "effect/Result"
import { LossFailed, LossNotScalar } from "../../OptimError.ts"
import type { Differentiated } from "../../Tensors.ts"
import { isTensor } from "../tensorLike.ts"
import { isOutOfMemory } from "./allocation.ts"
import { hasGradients } from "./backend.ts"
import { share } from "./share.ts"
import { discardTape, savingAll } from "./tape.ts"

const operation = "Autodiff"

const missingGradients = "tfjs has no gradient functions; in Node, install @tensorflow/tfjs-layers, which brings them"

const printFound = (value: unknown): string =>
  isTensor(value)
    ? `a ${value.dtype} tensor of shape [${value.shape.join(", ")}]`
    : value instanceof Promise
      ? "a promise"
      : value === null || value === undefined
        ? String(value)
        : `of type ${typeof value}`

const scalarLoss = (value: unknown): Tensor => {
  if (isTensor(value) && value.rank === 0 && value.dtype === "float32") return value
  throw new LossNotScalar({ operation, found: printFound(value) })
}

/** What the loss did wrong; an allocation that failed inside it is not its fault. */
const failure = (cause: unknown): LossFailed | LossNotScalar => {
  if (isOutOfMemory(cause)) throw cause
  return cause instanceof LossNotScalar ? cause : new LossFailed({ operation, cause })
}

/** The tree with a handle of its own for every tensor, beyond the scopes of tfjs; without tensors, the very tree. */
const ownTree = <A>(tree: A): A => {
  const [leaves, treedef] = PyTree.flatten(tree)
  if (!leaves.some((leaf: unknown) => isTensor(leaf))) return tree
  const own = leaves.map((leaf: unknown) => (isTensor(leaf) ? tf.keep(share(leaf)) : leaf))
  // Leaves are replaced by handles of their own kind, so the tree keeps its type.
  return PyTree.unflatten(treedef, own) as A
}

const disposeTree = (tree: unknown): void => {
  for (const leaf of PyTree.leaves(tree)) if (isTensor(leaf)) leaf.dispose()
}

/** Gradients under handles that are the caller's alone: not a parameter, nor another gradient, nor a tensor of the loss. */
const ownHandles = (
  tensors: ReadonlyArray<Tensor | undefined>,
  params: ReadonlyArray<Tensor>
): ReadonlyArray<Tensor | undefined> => {
  const taken = new Set(params)
  // tfjs numbers tensors as they are made: what is older than the handles of the parameters was not made here.
  const oldest = params[0]?.id ?? 0
  return tensors.map((tensor) => {
    if (tensor === undefined) return undefined
    const own = taken.has(tensor) || tensor.id < oldest ? share(tensor) : tensor
    taken.add(tensor)
    return tf.keep(own)
  })
}

/** What was differentiated, with the value as it was taken. */
export interface Taped<Aux, Value> extends Pick<Differentiated<Aux>, "aux" | "grads"> {
  readonly value: Value
}

/** The value, aux and gradients of a loss, or what is wrong with it. `take` is given the value while it lives. */
export const differentiate = <Aux, Value>(
  loss: (params: ReadonlyArray<Tensor>) => { readonly value: unknown; readonly aux: Aux },
  params: ReadonlyArray<Tensor>,
  take: (value: Tensor) => Value
): Result.Result<Taped<Aux, Value>, LossFailed | LossNotScalar> => {
  if (!hasGradients()) return Result.fail(failure(new Error(missingGradients)))
  let aux: { readonly tree: Aux } | undefined
  const engine = tf.engine()
  engine.startScope(operation)
  try {
    const handles = params.map(share)
    const forward = (): Tensor => {
      const result = loss(handles)
      aux = { tree: ownTree(result.aux) }
      return scalarLoss(result.value)
    }
    // tfjs refuses to differentiate with respect to nothing.
    const { grads, value } =
      handles.length === 0
        ? { grads: [], value: forward() }
        : savingAll(() => engine.gradients(forward, handles, undefined, true))
    if (aux === undefined) throw new Error("tfjs calls the function that it differentiates")
    return Result.succeed({
      value: take(value),
      grads: ownHandles(grads, handles),
      aux: aux.tree
    })
  } catch (error) {
    if (aux !== undefined) disposeTree(aux.tree)
    discardTape()
    return Result.fail(failure(error))
  } finally {
    engine.endScope()
  }
}
