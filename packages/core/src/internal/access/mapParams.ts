/** What a transform remembers of each parameter, mapped. */
import { type KeyPath, PyTree, TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Equal from "effect/Equal"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { isOptimizerState, type OfTransform, OptimizerState } from "../../OptimizerState.ts"
import type { Scalar } from "../../Scalar.ts"
import { flatFloats, shapeOfLeaf } from "../leaves.ts"
import { heldTree, splitHeld } from "../optimizer/held.ts"
import type { Promoted } from "../optimizer/rule.ts"
import { partsOf, tracedFor } from "../transform/run.ts"
import type { Signature } from "../transform/trace.ts"
import type { Any, State, Transform } from "../transform/transform.ts"

const operation = "Transform.mapParams"

/** A state with a `B` for each tensor that belongs to a parameter; the rest is an `N`, or what it was if that is `never`. */
export type MappedParams<S, P, B, N = never> =
  S extends Leaves.Leaves<infer A>
    ? PyTree.Mapped<P, PyTree.Mapped<State<A, P>, B>>
    : S extends Expr.Expr | Scalar
      ? [N] extends [never]
        ? State<S, P>
        : N
      : S extends ReadonlyArray<unknown> | object
        ? { readonly [K in keyof S]: MappedParams<S[K], P, B, N> }
        : S

/** What becomes of the tensors and numbers that belong to no parameter. */
export interface MapParamsOptions<N = never> {
  /** Applied to counters, hyper-parameters and the like; without it, they stay what they are. */
  readonly transformNonParams?: ((value: Tensor | number) => N) | undefined
}

/** For each leaf of the state, the position of the parameter that it belongs to. */
const ownersIn = (transform: Any, { specs, treeDef }: Signature): ReadonlyArray<number | undefined> => {
  const inputs = specs.map((spec, index) => Expr.input(index, spec))
  const parts = PyTree.leaves<unknown>(transform.init(Leaves.make(treeDef, inputs)), { isLeaf: Leaves.isLeaves })
  return parts.flatMap((part: unknown) => {
    // A transform may hold lists of other leaves: all of them joined, for one.
    if (!Leaves.isLeaves(part) || !Equal.equals(part.treeDef, treeDef)) return PyTree.leaves(part).map(() => undefined)
    return part.items.flatMap((item, index) => PyTree.leaves(item).map(() => part.at[index]))
  })
}

type ForParam = (value: unknown, param: unknown, path: KeyPath.KeyPath) => unknown

const mapState = (
  transform: Any,
  state: unknown,
  params: unknown,
  forParam: ForParam,
  other: (value: unknown) => unknown
): unknown => {
  const { leaves: own, treeDef } = flatFloats(operation, params)
  const signature: Signature = { treeDef, specs: own.map((p) => ({ shape: shapeOfLeaf(p), dtype: "float32" })) }
  partsOf(operation, tracedFor(transform, signature), state)
  const owners = ownersIn(transform, signature)
  const paths = TreeDef.paths(treeDef)
  const [leaves, stateDef] = PyTree.flatten<unknown>(state)
  const mapped = leaves.map((leaf: unknown, index) => {
    const owner = owners[index]
    return owner === undefined ? other(leaf) : forParam(leaf, own[owner], paths[owner] ?? [])
  })
  return PyTree.unflatten(stateDef, mapped)
}

const same = (value: unknown): unknown => value

const mapOptimizerState = <P, S>(
  transform: Any,
  state: OptimizerState<P, OfTransform<S>>,
  f: ForParam
): OptimizerState<P, OfTransform<S>> => {
  const { leaves, subtreeDefs, treeDef } = state
  const params = leaves.slice(0, treeDef.leafCount)
  const mapped = mapState(transform, heldTree(state), PyTree.unflatten(treeDef, params), f, same)
  const { held, tensors } = splitHeld<Tensor>(mapped)
  return new OptimizerState(treeDef, subtreeDefs, [...params, ...tensors], held)
}

/**
 * A state in which a function was applied to every tensor that belongs to a parameter: moments, but no counters.
 *
 * The function gets the tensor, its parameter, and the parameter's key path. The state of a transform comes with the
 * parameters that it was made for; what comes out may be anything: labels, sizes, or other tensors, which belong to whoever
 * made them. The state of an optimizer has its own parameters, which stay as they are, and must get tensors. Throws
 * `StructureMismatch`, `TensorMismatch` or `DisposedTensor` if this is no state of the transform for these parameters.
 * Source: `optax.tree.map_params`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import { KeyPath } from "@optim/pytree"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const adam = Transform.scaleByAdam()
 * const params = { w: Float32Array.of(1, 2), b: 3 }
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(adam, params)
 *   return Transform.mapParams(adam, state, params, (slot, _, path) => `${slot.size} of ${KeyPath.keystr(path)}`)
 * })
 * const { count, mu } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([count, mu], [0, { w: "2 of ['w']", b: "1 of ['b']" }])
 * ```
 */
export const mapParams: {
  <S, Needs extends string, P>(
    transform: Transform<S, Needs>,
    state: OptimizerState<P, OfTransform<S>>,
    f: (value: Tensor, param: Tensor, path: KeyPath.KeyPath) => Tensor
  ): OptimizerState<P, OfTransform<S>>
  <S, Needs extends string, P, B, N = never>(
    transform: Transform<S, Needs>,
    state: NoInfer<State<S, Promoted<P>>>,
    params: P,
    f: (value: Tensor, param: PyTree.Leaf<P>, path: KeyPath.KeyPath) => B,
    options?: MapParamsOptions<N>
  ): MappedParams<S, P, B, N>
} = (transform: Any, state: unknown, ...rest: ReadonlyArray<unknown>): never => {
  // The overloads say what the arguments and the result are.
  if (isOptimizerState(state))
    return mapOptimizerState(
      transform,
      state as OptimizerState<unknown, OfTransform<unknown>>,
      rest[0] as ForParam
    ) as never
  const [params, f, options = {}] = rest as readonly [unknown, ForParam, MapParamsOptions<unknown>?]
  return mapState(transform, state, params, f, (options.transformNonParams as typeof same | undefined) ?? same) as never
}
