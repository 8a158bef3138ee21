/**
 * Transforms within effects: on trees of tensors, with a state that the caller holds.
 */
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { TensorSpec } from "../../Expr.ts"
import { MissingArgument, type OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { attempt } from "../attempt.ts"
import {
  checkShapes,
  type Flat,
  flatFloats,
  floatLeaves,
  shapeOfLeaf,
  type TensorLike,
  withTensors
} from "../leaves.ts"
import type { Gradients, Promoted } from "../optimizer/rule.ts"
import { initial, numbersOf, partsOf, stateFrom, tracedFor, updated } from "./run.ts"
import type { Mode, Traced } from "./trace.ts"
import type { Any, State, Transform } from "./transform.ts"

const float32 = (leaf: TensorLike): TensorSpec => ({ shape: shapeOfLeaf(leaf), dtype: "float32" })

const traceFlat = (transform: Any, { leaves, treeDef }: Flat): Traced =>
  tracedFor(transform, { treeDef, specs: leaves.map(float32) })

const initTree = Effect.fn("Transform.init")(function* <S, Needs extends string, P>(
  transform: Transform<S, Needs>,
  params: P
): Effect.fn.Return<State<S, Promoted<P>>, OptimError, Tensors> {
  const { leaves, traced } = yield* attempt(() => {
    const found = flatFloats(`${transform.name}.init`, params)
    return { leaves: found.leaves, traced: traceFlat(transform, found) }
  })
  const parts = yield* withTensors(leaves, (tensors) => initial("update", traced, tensors))
  // The structure is the one that the transform's own `init` made for these parameters.
  return stateFrom(traced, parts) as State<S, Promoted<P>>
})

/**
 * The state of a transform before its first update, for parameters that stay the caller's. The caller owns the state.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const init = Transform.init(Transform.scaleByAdam(), { w: [1, 2], b: 3 })
 * const { count, mu } = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([count, mu.w.length, mu.b.dataSync()[0]], [0, 2, 0])
 * ```
 */
export const init: <S, Needs extends string, P>(
  transform: Transform<S, Needs>,
  params: P
) => Effect.Effect<State<S, Promoted<P>>, OptimError, Tensors> = atomically(initTree)

/** What a transform is given beside the updates: the parameters, or numbers by name. */
type Argument<Need extends string, P> = Need extends "params" ? P : number

/** What goes with the updates: what the transform needs, and whether updates and state are given away. */
export type Arguments<Needs extends string, P> = {
  readonly [Need in Needs]: Argument<Need, P>
} & {
  /**
   * Give updates and state away, and with `apply` the parameters: they must not be used again, and their memory serves
   * what is returned.
   */
  readonly donate?: boolean | undefined
}

/** The arguments may be left out where nothing is needed. */
type Rest<Needs extends string, P> = [Needs] extends [never]
  ? [given?: Arguments<Needs, P>]
  : [given: Arguments<Needs, P>]

/** What an update returns; the caller owns both. */
export interface Updated<S, P> {
  readonly updates: P
  readonly state: S
}

type Given = Readonly<Record<string, unknown>>

const remedy = "Pass updates and parameters of the tree that was given to init."

const paramsOf = (
  operation: string,
  { needs }: Any,
  { signature }: Traced,
  params: unknown
): ReadonlyArray<TensorLike> => {
  if (params === undefined)
    throw new MissingArgument({
      operation,
      argument: "params",
      transform: needs["params"] ?? operation,
      expected: "the tree of parameters"
    })
  const { specs, treeDef } = signature
  const parts = PyTree.flattenUpTo(treeDef, params, {
    exact: true,
    operation,
    subject: "the parameters",
    reference: "the updates",
    hint: remedy
  })
  const leaves = floatLeaves(operation, parts, treeDef)
  checkShapes(operation, leaves, specs, treeDef, remedy)
  return leaves
}

const step = Effect.fnUntraced(function* (
  mode: Mode,
  transform: Any,
  updates: unknown,
  state: unknown,
  given: Given
): Effect.fn.Return<Updated<unknown, unknown>, OptimError, Tensors> {
  const operation = `${transform.name}.${mode}`
  const { decision, host, leaves, params, parts, traced } = yield* attempt(() => {
    const found = flatFloats(operation, updates)
    const traced = traceFlat(transform, found)
    const takesParams = mode === "apply" || traced.takesParams
    // Before the state, which fits neither if the updates do not fit the parameters.
    const params = takesParams ? paramsOf(operation, transform, traced, given["params"]) : []
    const parts = partsOf(operation, traced, state)
    return {
      leaves: found.leaves,
      traced,
      parts,
      params,
      host: [...numbersOf(operation, transform, traced, given), ...parts.numbers],
      decision: traced.update(mode)
    }
  })
  const own = mode === "apply" ? [...leaves, ...params] : [...params, ...leaves]
  const next = yield* withTensors(own, (tensors) => {
    const inputs: ReadonlyArray<Tensor> = [...tensors, ...parts.tensors]
    const donatedFrom = given["donate"] !== true ? inputs.length : mode === "apply" ? 0 : params.length
    return updated(decision, { inputs, host, donatedFrom, renewHandles: true })
  })
  const { treeDef } = traced.signature
  const count = leaves.length
  return {
    updates: PyTree.unflatten(treeDef, next.tensors.slice(0, count)),
    state: stateFrom(traced, { tensors: next.tensors.slice(count), numbers: next.numbers })
  }
})

const updateTree = atomically(
  Effect.fn("Transform.update")(function* <S, P>(
    transform: Any,
    updates: P,
    state: S,
    given: Given
  ): Effect.fn.Return<Updated<S, Promoted<P>>, OptimError, Tensors> {
    // Both are of the structures that were given.
    return (yield* step("update", transform, updates, state, given)) as Updated<S, Promoted<P>>
  })
)

/**
 * One update: what the transform makes of gradients (or of another transform's updates), and the state that comes next.
 *
 * What the transform needs beside them is in its type, and so in that of `given`. The old state stays as it was, unless
 * `donate` gives it away together with the updates.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const decay = Transform.addDecayedWeights({ weightDecay: 0.5 })
 * const program = Effect.gen(function*() {
 *   const params = { w: 4 }
 *   const { updates } = yield* Transform.update(decay, { w: 1 }, yield* Transform.init(decay, params), { params })
 *   return updates.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3) // 1 + 0.5·4
 * ```
 */
export const update: <S, Needs extends string, P>(
  transform: Transform<S, Needs>,
  updates: P,
  state: State<NoInfer<S>, Promoted<NoInfer<P>>>,
  ...given: Rest<Needs, Gradients<Promoted<NoInfer<P>>>>
) => Effect.Effect<Updated<State<S, Promoted<P>>, Promoted<P>>, OptimError, Tensors> = (
  transform,
  updates,
  state,
  ...[given = {}]
) => updateTree(transform, updates, state, given)

/** What an application returns; the caller owns both. */
export interface Applied<S, P> {
  readonly params: P
  readonly state: S
}

const applyTree = Effect.fn("Transform.apply")(function* <S, Needs extends string, P>(
  transform: Transform<S, Needs>,
  updates: Gradients<Promoted<P>>,
  state: State<S, Promoted<P>>,
  given: Arguments<Exclude<Needs, "params">, P> & { readonly params: P }
): Effect.fn.Return<Applied<State<S, Promoted<P>>, Promoted<P>>, OptimError, Tensors> {
  const result = yield* step("apply", transform, updates, state, given)
  // Both are of the structures that were given.
  return { params: result.updates as Promoted<P>, state: result.state as State<S, Promoted<P>> }
})

/**
 * One update added to the parameters, in one program: `applyUpdates` after `update`, without the updates in between.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const descend = Transform.sgd({ learningRate: 0.5 })
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(descend, { w: 4 })
 *   const { params } = yield* Transform.apply(descend, { w: 2 }, state, { params: { w: 4 } })
 *   return params.w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3) // 4 − 0.5·2
 * ```
 */
export const apply: <S, Needs extends string, P>(
  transform: Transform<S, Needs>,
  updates: Gradients<Promoted<NoInfer<P>>>,
  state: State<NoInfer<S>, Promoted<NoInfer<P>>>,
  given: Arguments<Exclude<Needs, "params">, P> & { readonly params: P }
) => Effect.Effect<Applied<State<S, Promoted<P>>, Promoted<P>>, OptimError, Tensors> = atomically(applyTree)
