/**
 * Derivatives of losses with respect to trees.
 *
 * A loss is a plain function of a tree of tensors, written in tfjs ops, that returns a float32 tensor of shape []. What
 * it makes in between is released; gradients belong to the caller, who usually donates them to an update.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { atomically } from "./internal/atomically.ts"
import { attempt } from "./internal/attempt.ts"
import { disposeAll, floatLeaves, pathOf, type TensorLike, withTensors } from "./internal/leaves.ts"
import {
  type AutodiffError,
  type CyclicTree,
  type DisposedTensor,
  type InvalidLeaf,
  LossIndependent
} from "./OptimError.ts"
import { dispose, Tensors } from "./Tensors.ts"

/** A loss of parameters `P` and further arguments: one float32 number as a tensor. */
export type Loss<P, Args extends Array<unknown>> = (params: P, ...args: Args) => Tensor

/** A loss that hands out more than its value, as a pair. */
export type LossWithAux<P, Args extends Array<unknown>, Aux> = (params: P, ...args: Args) => readonly [Tensor, Aux]

/** Parameters that a loss of `P` can be given: numbers and typed arrays are promoted to tensors. */
export type Point<P> = P | PyTree.Mapped<P, TensorLike>

/** The value of a loss and its gradients, which have the tree of the parameters and belong to the caller. */
export interface ValueAndGrads<P> {
  readonly value: number
  readonly grads: P
}

/** What else the loss returned; the tensors in it belong to the caller. */
export interface WithAux<Aux> {
  readonly aux: Aux
}

type Derivative<P, Args extends Array<unknown>, A> = (
  params: Point<P>,
  ...args: Args
) => Effect.Effect<A, AutodiffError, Tensors>

const operation = "Autodiff.valueAndGrad"

type Split<P, Args extends Array<unknown>, Aux> = (
  params: P,
  ...args: Args
) => { readonly value: unknown; readonly aux: Aux }

interface Flat {
  readonly leaves: ReadonlyArray<TensorLike>
  readonly treeDef: TreeDef.TreeDef
}

const flat = (params: unknown): Effect.Effect<Flat, CyclicTree | InvalidLeaf | DisposedTensor> =>
  attempt(
    () => {
      const [leaves, treeDef] = PyTree.flatten(params)
      return { leaves: floatLeaves(operation, leaves, treeDef), treeDef }
    },
    { CyclicTree: true, InvalidLeaf: true, DisposedTensor: true }
  )

/** The gradients if there is one for every leaf; otherwise all that was made is disposed. */
const complete = Effect.fnUntraced(function* <Aux>(
  grads: ReadonlyArray<Tensor | undefined>,
  aux: Aux,
  pathAt: (index: number) => string
): Effect.fn.Return<ReadonlyArray<Tensor>, AutodiffError> {
  const found = grads.filter((grad) => grad !== undefined)
  if (found.length === grads.length) return found
  disposeAll(found)
  yield* dispose(aux)
  return yield* new LossIndependent({
    operation,
    paths: grads.flatMap((grad, index) => (grad === undefined ? [pathAt(index)] : []))
  })
})

const differentiated = <P, Args extends Array<unknown>, Aux>(loss: Split<P, Args, Aux>) => {
  const derivative = Effect.fn(operation)(function* (
    params: Point<P>,
    ...args: Args
  ): Effect.fn.Return<ValueAndGrads<P> & WithAux<Aux>, AutodiffError, Tensors> {
    const { differentiate } = yield* Tensors
    const { leaves, treeDef } = yield* flat(params)
    // The tree of the parameters with a tensor at each leaf, which is what the loss takes.
    const onTree = (handles: ReadonlyArray<Tensor>) => loss(PyTree.unflatten(treeDef, handles) as P, ...args)
    const { aux, grads, value } = yield* withTensors(leaves, (inputs) => differentiate(onTree, inputs))
    const all = yield* complete(grads, aux, (index) => pathOf(treeDef, index))
    return { value, grads: PyTree.unflatten(treeDef, all) as P, aux }
  })
  return atomically(derivative)
}

/**
 * A function that gives a loss and its gradients at a point.
 *
 * With `{ hasAux: true }` the loss returns a pair, and the second of it comes out as `aux`. A loss that does not return
 * one float32 number fails with `LossNotScalar`, one that throws with `LossFailed`, one that does not use every leaf
 * with `LossIndependent`, which names the leaves.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import type { Scalar } from "@tensorflow/tfjs-core"
 * import { square } from "@tensorflow/tfjs-core"
 * import { Autodiff } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const loss = ({ x }: { readonly x: Scalar }): Scalar => square(x)
 * const program = Autodiff.valueAndGrad(loss)({ x: 3 })
 * const { grads, value } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([value, grads.x.dataSync()[0]], [9, 6])
 * ```
 */
export const valueAndGrad: {
  <P, Args extends Array<unknown>>(loss: Loss<P, Args>): Derivative<P, Args, ValueAndGrads<P>>
  <P, Args extends Array<unknown>, Aux>(
    loss: LossWithAux<P, Args, Aux>,
    options: { readonly hasAux: true }
  ): Derivative<P, Args, ValueAndGrads<P> & WithAux<Aux>>
} = <P, Args extends Array<unknown>, Aux>(
  loss: Loss<P, Args> | LossWithAux<P, Args, Aux>,
  options?: { readonly hasAux: true }
): Derivative<P, Args, ValueAndGrads<P> & WithAux<Aux>> =>
  differentiated(split<P, Args, Aux>(loss, options?.hasAux === true))

/**
 * The gradients alone; with `{ hasAux: true }` an object of `grads` and `aux`. Fails like `valueAndGrad`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import type { Scalar } from "@tensorflow/tfjs-core"
 * import { mul } from "@tensorflow/tfjs-core"
 * import { Autodiff } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const product = ([a, b]: readonly [Scalar, Scalar]): Scalar => mul(a, b)
 * const grads = await Effect.runPromise(Autodiff.grad(product)([2, 5]).pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(grads.map((grad) => grad.dataSync()[0]), [5, 2])
 * ```
 */
export const grad: {
  <P, Args extends Array<unknown>>(loss: Loss<P, Args>): Derivative<P, Args, P>
  <P, Args extends Array<unknown>, Aux>(
    loss: LossWithAux<P, Args, Aux>,
    options: { readonly hasAux: true }
  ): Derivative<P, Args, { readonly grads: P } & WithAux<Aux>>
} = <P, Args extends Array<unknown>, Aux>(
  loss: Loss<P, Args> | LossWithAux<P, Args, Aux>,
  options?: { readonly hasAux: true }
): Derivative<P, Args, P & { readonly grads: P } & WithAux<Aux>> => {
  const hasAux = options?.hasAux === true
  const both = differentiated(split<P, Args, Aux>(loss, hasAux))
  // Which of the two comes out is decided by the option, as the signatures say.
  const pick = ({ aux, grads }: ValueAndGrads<P> & WithAux<Aux>) =>
    (hasAux ? { grads, aux } : grads) as P & { readonly grads: P } & WithAux<Aux>
  return (params, ...args) => Effect.map(both(params, ...args), pick)
}

const split =
  <P, Args extends Array<unknown>, Aux>(
    loss: Loss<P, Args> | LossWithAux<P, Args, Aux>,
    hasAux: boolean
  ): Split<P, Args, Aux> =>
  (params, ...args) => {
    // What the loss returns is looked at, whatever its type promises.
    const result: unknown = loss(params, ...args)
    const [value, aux] = hasAux && Array.isArray(result) ? result : [result]
    return { value, aux: aux as Aux }
  }
