/**
 * The lifting of rules: a triple written for one tensor becomes an optimizer for any tree.
 *
 * `leafwise` is the `optimizer` decorator of `jax.example_libraries.optimizers`. Each step checks what it is given, looks up the traced program of
 * this very layout, evaluates its scalars and hands everything to the executor.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import type * as Effect from "effect/Effect"
import type { TensorSpec } from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import { OptimizerState } from "../../OptimizerState.ts"
import type { Plan } from "../../Plan.ts"
import type { Tensors } from "../../Tensors.ts"
import { atOnce, spanned } from "../atOnce.ts"
import { attempt } from "../attempt.ts"
import {
  areTensors,
  checkAlive,
  checkShapes,
  flatFloats,
  floatLeaves,
  shapeOfLeaf,
  type TensorLike,
  withTensorsUnsafe
} from "../leaves.ts"
import { evaluatorOf } from "../trace/evaluator.ts"
import type { Before } from "./compile.ts"
import { checkNotDonated, markDonated } from "./donation.ts"
import { isShown, ownLeaves, unshown } from "./handles.ts"
import { type AnyState, slotPath } from "./layout.ts"
import { type HyperParameters, hyperParametersIn } from "./hyperParameters.ts"
import { checkStep } from "./step.ts"
import type { Gradients, LeafRule, Optimizer, Promoted, Slots, Traced, UpdateOptions } from "./rule.ts"
import { layoutAfter, tracer, type Tracer } from "./tracer.ts"

const remedy = "Pass the tree that valueAndGrad returned for the parameters given to init."

const float32 = (shape: ReadonlyArray<number>): TensorSpec => ({ shape, dtype: "float32" })

const initialising = <S>(name: string, { init: traced }: Tracer) => {
  const operation = `${name}.init`
  return <P>(params: P): Effect.Effect<OptimizerState<Promoted<P>, Slots<S>>, OptimError, Tensors> =>
    spanned(
      "Optimizer.init",
      atOnce((tensors) => {
        const { leaves, treeDef } = flatFloats(operation, params)
        const specs = leaves.map((leaf) => float32(shapeOfLeaf(leaf)))
        const { plan, scalars, subtreeDefs } = traced({ treeDef, specs })
        const outputs = withTensorsUnsafe(tensors, leaves, (inputs) =>
          tensors.executeUnsafe({ plan, inputs, scalars, donatedFrom: inputs.length, renewHandles: false })
        )
        // Promotion keeps the structure, and the sub-trees are those of the rule's own states.
        return unshown(
          new OptimizerState(
            treeDef as TreeDef.TreeDef<Promoted<P>>,
            subtreeDefs as ReadonlyArray<TreeDef.TreeDef<Slots<S>>>,
            outputs
          )
        )
      })
    )
}

const tracing =
  (name: string, { init, update }: Tracer) =>
  (params: unknown): Effect.Effect<Traced, OptimError> =>
    attempt(() => {
      const { leaves, treeDef } = flatFloats(`${name}.trace`, params)
      const initial = init({ treeDef, specs: leaves.map((leaf) => float32(shapeOfLeaf(leaf))) })
      const layout = layoutAfter(initial, treeDef)
      return {
        treeDef,
        subtreeDefs: layout.subtreeDefs,
        slots: layout.specs,
        init: initial.plan,
        update: update(layout).plan
      }
    })

/** A step on tensors that fit the state. */
const advance = <P, S>(
  { executeUnsafe }: Tensors["Service"],
  plan: Plan,
  step: number,
  grads: ReadonlyArray<Tensor>,
  state: OptimizerState<P, S>,
  donate: boolean | "state"
): OptimizerState<P, S> => {
  const inputs = [...grads, ...state[ownLeaves]]
  const donatedFrom = donate === true ? 0 : donate === "state" ? grads.length : inputs.length
  const scalars = evaluatorOf(plan.program)([step])
  const outputs = executeUnsafe({ plan, inputs, scalars, donatedFrom, renewHandles: state[isShown] })
  if (donate !== false) markDonated(state, step)
  return unshown(new OptimizerState(state.treeDef, state.subtreeDefs, outputs))
}

const updating = <S>(name: string, { known, updateOf }: Tracer) => {
  const operation = `${name}.update`
  const words = { operation, subject: "the gradients", reference: "the parameters", hint: remedy }
  const exactly = { ...words, exact: true }

  /** Whatever is not simply tensors that fit a state met before: promotable, or what is wrong with it. */
  const checked = (
    grads: unknown,
    state: AnyState
  ): { readonly leaves: ReadonlyArray<TensorLike>; readonly plan: Plan } => {
    const { [ownLeaves]: slots, treeDef } = state
    const leaves = floatLeaves(operation, PyTree.flattenUpTo(treeDef, grads, exactly), treeDef)
    checkAlive(operation, slots, (index) => slotPath(state, index))
    const { paramSpecs, plan } = updateOf(state)
    checkShapes(operation, leaves, paramSpecs, treeDef, remedy)
    return { leaves, plan }
  }

  const update = <P>(
    tensors: Tensors["Service"],
    step: number,
    grads: Gradients<NoInfer<P>>,
    state: OptimizerState<P, Slots<S>>,
    { donate = false }: UpdateOptions
  ): OptimizerState<P, Slots<S>> => {
    checkNotDonated(operation, state)
    checkStep(operation, step)
    const parts = PyTree.flattenUpTo(state.treeDef, grads, words)
    const met = known(state)
    if (met !== undefined && areTensors(parts, met.update.paramSpecs, met.grads)) {
      met.grads = parts
      return advance(tensors, met.update.plan, step, parts, state, donate)
    }
    const { leaves, plan } = checked(grads, state)
    return withTensorsUnsafe(tensors, leaves, (made) => advance(tensors, plan, step, made, state, donate))
  }

  return <P>(
    step: number,
    grads: Gradients<NoInfer<P>>,
    state: OptimizerState<P, Slots<S>>,
    options: UpdateOptions = {}
  ): Effect.Effect<OptimizerState<P, Slots<S>>, OptimError, Tensors> =>
    spanned(
      "Optimizer.update",
      atOnce((tensors) => update(tensors, step, grads, state, options))
    )
}

/** Where an `update` keeps how to make the optimizer that does something to the gradients before, in one program. */
export const preceded: unique symbol = Symbol.for("@optim/core/preceded")

/** An `update` that can be traced together with what is done before it. */
export interface Preceded<S> {
  readonly [preceded]: (before: Before, options: HyperParameters) => Optimizer<S>
}

/** The optimizer of a rule. */
export const fromRule = <S>(rule: LeafRule<S>, before?: Before): Optimizer<Slots<S>> => {
  const name = rule.name ?? "leafwise"
  const programs = tracer(name, rule, before)
  const hyperParameters = rule.hyperParameters ?? {}
  const init = initialising<S>(name, programs)
  const precede: Preceded<Slots<S>>[typeof preceded] = (first, options) =>
    fromRule({ ...rule, hyperParameters: { ...hyperParameters, ...options } }, (grads) =>
      before === undefined ? first(grads) : before(first(grads))
    )
  const update = Object.assign(updating<S>(name, programs), { [preceded]: precede })
  const params = <P>(state: OptimizerState<P, Slots<S>>): P => {
    checkNotDonated(`${name}.params`, state)
    const { leaves } = state
    const { paramLeaves } = programs.updateOf(state)
    // The state was made for parameters of type P, and these are their tensors in their order.
    return PyTree.unflatten(
      state.treeDef,
      paramLeaves.map((leaf) => leaves[leaf])
    ) as P
  }
  return Object.assign([init, update, params] as const, {
    name,
    hyperParameters,
    init,
    update,
    params,
    trace: tracing(name, programs)
  })
}

/**
 * Lifts the maker of a rule for one tensor to a maker of optimizers for any tree: the `optimizer` decorator of `jax.example_libraries.optimizers`.
 *
 * The state of a rule is any tree of symbolic tensors, and an optimizer keeps one such tree for each leaf of the
 * parameters. A rule that computes with impossible shapes, or whose update changes the structure, shapes or dtypes of
 * its state, makes `init` or `update` fail with the path of the leaf.
 *
 * Source: `jax.example_libraries.optimizers.optimizer`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Expr, Optimizer, Scalar } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * // Steps of one length, whatever the gradient's.
 * const signSgd = Optimizer.leafwise(({ stepSize }: { readonly stepSize: Optimizer.StepSize }) => {
 *   const rate = Scalar.schedule(stepSize)
 *   return {
 *     init: (x) => ({ x }),
 *     update: (step, g, { x }) => ({ x: Expr.sub(x, Expr.mul(rate(step), Expr.sign(g))) }),
 *     params: ({ x }) => x
 *   }
 * })
 *
 * const program = Effect.gen(function*() {
 *   const [init, update, params] = signSgd({ stepSize: 0.25 })
 *   const state = yield* update(0, { a: 100, b: -1e-3 }, yield* init({ a: 1, b: 1 }))
 *   const { a, b } = params(state)
 *   return [a.dataSync()[0], b.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0.75, 1.25])
 * ```
 */
export const leafwise =
  <Args extends ReadonlyArray<unknown>, S>(
    maker: (...args: Args) => LeafRule<S>
  ): ((...args: Args) => Optimizer<Slots<S>>) =>
  (...args) =>
    fromRule({ hyperParameters: hyperParametersIn(args[0]), ...maker(...args) })
