/**
 * From a transform to the triple: an optimizer that holds parameters and the transform's state together.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { TensorSpec } from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import { type OfTransform, OptimizerState } from "../../OptimizerState.ts"
import type { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { atOnce, spanned } from "../atOnce.ts"
import { attempt, raised } from "../attempt.ts"
import {
  areTensors,
  checkAlive,
  checkShapes,
  flatFloats,
  floatLeaves,
  pathOf,
  shapeOfLeaf,
  type TensorLike,
  withTensors,
  withTensorsUnsafe
} from "../leaves.ts"
import { checkNotDonated, type donatedAt, markDonated } from "../optimizer/donation.ts"
import { isShown, ownLeaves, unshown } from "../optimizer/handles.ts"
import { type Held, joinHeld, ownHeld } from "../optimizer/held.ts"
import { haveSpecs, specOf } from "../optimizer/layout.ts"
import type { Optimizer, Promoted, Traced as OptimizerTraced, UpdateOptions } from "../optimizer/rule.ts"
import { checkStep } from "../optimizer/step.ts"
import {
  answered,
  checkStructure,
  computed,
  firstPlan,
  initial,
  initialNumbers,
  type Input,
  numbersOf,
  type Parts,
  partsOf,
  tracedFor,
  updated
} from "./run.ts"
import type { Traced } from "./trace.ts"
import type { Any, Transform } from "./transform.ts"

const remedy = "Pass the tree that valueAndGrad returned for the parameters given to init."

const leafDef: TreeDef.TreeDef = PyTree.structure(0)

const nothingDef: TreeDef.TreeDef = PyTree.structure(null)

const float32 = (shape: ReadonlyArray<number>): TensorSpec => ({ shape, dtype: "float32" })

/** The parameters' own specs, then those of the state's tensors. */
const allSpecs = ({ signature, slots }: Traced): ReadonlyArray<TensorSpec> => [
  ...signature.specs,
  ...slots.flatMap((spec) => spec ?? [])
]

const heldOf = ({ slots, stateDef }: Traced, numbers: ReadonlyArray<number>): Held => {
  let next = 0
  return { treeDef: stateDef, numbers: slots.map((spec) => (spec === undefined ? numbers[next++] : undefined)) }
}

const numbersIn = ({ numbers }: Held): ReadonlyArray<number> => numbers.flatMap((number) => number ?? [])

/** A state, whatever its types. */
type AnyState = Pick<OptimizerState<unknown, unknown>, typeof donatedAt | typeof ownHeld | typeof ownLeaves | "treeDef">

/** The programs for a state, recognised by identity in the steady state of training. */
class Programs {
  readonly #transform: Any
  #latest:
    | { readonly held: TreeDef.TreeDef; readonly specs: ReadonlyArray<TensorSpec>; readonly traced: Traced }
    | undefined

  constructor(transform: Any) {
    this.#transform = transform
  }

  for(operation: string, state: AnyState): Traced {
    const { [ownHeld]: held, [ownLeaves]: leaves, treeDef } = state
    const latest = this.#latest
    if (latest !== undefined && latest.held === held?.treeDef && latest.traced.signature.treeDef === treeDef)
      if (haveSpecs(leaves, latest.specs)) return latest.traced
    const count = treeDef.leafCount
    checkAlive(operation, leaves.slice(0, count), (index) => pathOf(treeDef, index))
    const traced = this.#traced(state)
    partsOf(operation, traced, held === undefined ? null : joinHeld(held, leaves.slice(count)))
    if (held !== undefined) this.#latest = { held: held.treeDef, specs: allSpecs(traced), traced }
    return traced
  }

  /** Throws `StructureMismatch` for the state of another transform; does not look at tensors. */
  check(operation: string, state: AnyState): void {
    const { [ownHeld]: held } = state
    if (held !== undefined && held.treeDef === this.#latest?.held) return
    checkStructure(operation, this.#traced(state), held === undefined ? nothingDef : held.treeDef)
  }

  #traced({ [ownLeaves]: leaves, treeDef }: AnyState): Traced {
    const specs = leaves
      .slice(0, treeDef.leafCount)
      .map((leaf, index) => float32(specOf(leaf, () => pathOf(treeDef, index)).shape))
    return tracedFor(this.#transform, { treeDef, specs })
  }
}

const initialising = <S>(transform: Any) =>
  atomically(
    Effect.fn("Optimizer.init")(function* <P>(
      params: P
    ): Effect.fn.Return<OptimizerState<Promoted<P>, OfTransform<S>>, OptimError, Tensors> {
      const operation = `${transform.name}.init`
      const { leaves, traced, treeDef } = yield* attempt(() => {
        const { leaves, treeDef } = flatFloats(operation, params)
        return {
          leaves,
          treeDef,
          traced: tracedFor(transform, { treeDef, specs: leaves.map((leaf) => float32(shapeOfLeaf(leaf))) })
        }
      })
      const { numbers, tensors } = yield* withTensors(leaves, (own) => initial("apply", traced, own))
      return unshown(stateOf<Promoted<P>, S>(treeDef, traced, { numbers, tensors }))
    })
  )

/** The types are those of the parameters that the structure was made of, and of the transform. */
const stateOf = <P, S>(treeDef: TreeDef.TreeDef, traced: Traced, { numbers, tensors }: Parts) =>
  new OptimizerState<P, OfTransform<S>>(
    treeDef as TreeDef.TreeDef<P>,
    traced.signature.specs.map(() => leafDef as TreeDef.TreeDef<OfTransform<S>>),
    tensors,
    heldOf(traced, numbers)
  )

const updating = <S>(transform: Any, programs: Programs) => {
  const operation = `${transform.name}.update`

  /** Whatever is not simply tensors that fit: promotable, or what is wrong with it. */
  const gradients = ({ signature }: Traced, grads: unknown, words: PyTree.CheckOptions): ReadonlyArray<TensorLike> => {
    const { specs, treeDef } = signature
    const leaves = floatLeaves(operation, PyTree.flattenUpTo(treeDef, grads, { ...words, exact: true }), treeDef)
    checkShapes(operation, leaves, specs, treeDef, remedy)
    return leaves
  }

  const prepare = (step: number, grads: unknown, state: AnyState, options: UpdateOptions) => {
    checkNotDonated(operation, state)
    checkStep(operation, step)
    const traced = programs.for(operation, state)
    const { specs, treeDef } = traced.signature
    const words = { operation, subject: "the gradients", reference: "the parameters", hint: remedy }
    const parts = PyTree.flattenUpTo(treeDef, grads, words)
    const leaves = areTensors(parts, specs, []) ? parts : gradients(traced, grads, words)
    const held = state[ownHeld]
    const host = [...numbersOf(operation, transform, traced, options), ...(held === undefined ? [] : numbersIn(held))]
    return { traced, host, grads: leaves, decision: answered(traced.update("apply"), host) }
  }
  type Prepared = ReturnType<typeof prepare>

  type State<P> = OptimizerState<P, OfTransform<S>>

  const inputOf =
    (state: AnyState & { readonly [isShown]: boolean }, { host }: Prepared, donate: boolean | "state") =>
    (own: ReadonlyArray<Tensor>): Input => {
      const inputs = [...own, ...state[ownLeaves]]
      const donatedFrom = donate === true ? 0 : donate === "state" ? own.length : inputs.length
      return { inputs, host, donatedFrom, renewHandles: state[isShown] }
    }

  /** The state that comes next, once its parts are there. */
  const succeed = <P>(state: State<P>, step: number, { traced }: Prepared, donate: boolean | "state", parts: Parts) => {
    if (donate !== false) markDonated(state, step)
    return unshown(stateOf<P, S>(state.treeDef, traced, parts))
  }

  return <P>(
    step: number,
    grads: unknown,
    state: State<P>,
    options: UpdateOptions = {}
  ): Effect.Effect<State<P>, OptimError, Tensors> => {
    const { donate = false } = options
    const run = Effect.suspend(() => {
      const prepared = prepare(step, grads, state, options)
      const { decision, grads: leaves } = prepared
      const input = inputOf(state, prepared, donate)
      const next = (parts: Parts) => succeed(state, step, prepared, donate, parts)
      if (decision._tag === "Question")
        return atomically(() => withTensors(leaves, (own) => Effect.map(updated(decision, input(own)), next)))()
      return atOnce((tensors) =>
        withTensorsUnsafe(tensors, leaves, (own) => next(computed(tensors, decision.plan, input(own))))
      )
    })
    return spanned("Optimizer.update", Effect.catchDefect(run, raised))
  }
}

const tracing =
  (transform: Any) =>
  (params: unknown): Effect.Effect<OptimizerTraced, OptimError> =>
    attempt(() => {
      const { leaves, treeDef } = flatFloats(`${transform.name}.trace`, params)
      const traced = tracedFor(transform, { treeDef, specs: leaves.map((leaf) => float32(shapeOfLeaf(leaf))) })
      return {
        treeDef,
        subtreeDefs: leaves.map(() => leafDef),
        slots: allSpecs(traced),
        transform: heldOf(traced, initialNumbers(traced)),
        init: traced.init("apply"),
        update: firstPlan("apply", traced)
      }
    })

/**
 * The optimizer that adds a transform's updates to the parameters: the triple of an optimizer, for anything that is
 * written as a transform.
 *
 * Its state holds the parameters and what the transform remembers (`OptimizerState.transform`). The transform counts its
 * updates itself; the `step` that the caller counts serves messages and progress. An update is one program, from the
 * gradients to the new parameters. What the transform needs besides the parameters goes into the options of `update`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(
 *   Transform.chain(Transform.clipByGlobalNorm({ maxNorm: 5 }), Transform.scaleByLearningRate({ learningRate: 1 }))
 * )
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { a: 30, b: 40 }, yield* optimizer.init({ a: 3, b: 4 }))
 *   const { a, b } = optimizer.params(state)
 *   return [a.dataSync()[0], b.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 0])
 * ```
 */
export const fromTransform = <S, Needs extends string>(
  transform: Transform<S, Needs>
): Optimizer<OfTransform<S>, Exclude<Needs, "params">> => {
  const programs = new Programs(transform)
  const init = initialising<S>(transform)
  const update = updating<S>(transform, programs)
  const params = <P>(state: OptimizerState<P, OfTransform<S>>): P => {
    const operation = `${transform.name}.params`
    checkNotDonated(operation, state)
    programs.check(operation, state)
    // The first leaves are the parameters, of type P.
    return PyTree.unflatten(state.treeDef, state.leaves.slice(0, state.treeDef.leafCount)) as P
  }
  const { hyperParameters, name } = transform
  return Object.assign([init, update, params] as const, {
    name,
    hyperParameters,
    init,
    update,
    params,
    trace: tracing(transform)
  })
}
