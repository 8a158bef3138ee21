/**
 * The lifting of rules: a triple written for one tensor becomes an optimizer for any tree.
 *
 * `leafwise` is the `optimizer` decorator of `jax.example_libraries.optimizers`. Each step checks what it is given, looks up the traced program of
 * this very layout, evaluates its scalars and hands everything to the executor.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import * as Effect from "effect/Effect"
import type { TensorSpec } from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import { OptimizerState } from "../../OptimizerState.ts"
import * as Program from "../../Program.ts"
import { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { attempt } from "../attempt.ts"
import {
  areTensors,
  checkAlive,
  checkShapes,
  floatLeaves,
  shapeOfLeaf,
  type TensorLike,
  withTensors
} from "../leaves.ts"
import type { CompiledUpdate } from "./compile.ts"
import { checkNotDonated, markDonated } from "./donation.ts"
import { isShown, ownLeaves, unshown } from "./handles.ts"
import type { AnyState } from "./layout.ts"
import { hyperParametersIn } from "./hyperParameters.ts"
import { checkStep } from "./step.ts"
import type { Gradients, LeafRule, Optimizer, Promoted, Slots, Traced, UpdateOptions } from "./rule.ts"
import { layoutAfter, tracer, type Tracer } from "./tracer.ts"

const remedy = "Pass the tree that valueAndGrad returned for the parameters given to init."

/** The parts of the gradients at the leaves of the parameters; every difference of structure is named. */
const gradientParts = (
  operation: string,
  treeDef: TreeDef.TreeDef,
  grads: unknown,
  exact: boolean
): ReadonlyArray<unknown> =>
  PyTree.flattenUpTo(treeDef, grads, {
    exact,
    operation,
    subject: "the gradients",
    reference: "the parameters",
    hint: remedy
  })

const flat = (operation: string, params: unknown) => {
  const [leaves, treeDef] = PyTree.flatten(params)
  return { leaves: floatLeaves(operation, leaves, treeDef), treeDef }
}

const float32 = (shape: ReadonlyArray<number>): TensorSpec => ({ shape, dtype: "float32" })

const initialising = <S>(name: string, { init: traced }: Tracer) => {
  const operation = `${name}.init`
  const init = Effect.fn("Optimizer.init")(function* <P>(
    params: P
  ): Effect.fn.Return<OptimizerState<Promoted<P>, Slots<S>>, OptimError, Tensors> {
    const { execute } = yield* Tensors
    const { leaves, treeDef } = yield* attempt(() => flat(operation, params))
    return yield* withTensors(leaves, (inputs) =>
      Effect.gen(function* () {
        const specs = inputs.map(({ shape }) => float32(shape))
        const { plan, scalars, subtreeDefs } = yield* attempt(() => traced({ treeDef, specs }))
        const outputs = yield* execute({ plan, inputs, scalars, donatedFrom: inputs.length, renewHandles: false })
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
  })
  return atomically(init)
}

const tracing =
  (name: string, { init, update }: Tracer) =>
  (params: unknown): Effect.Effect<Traced, OptimError> =>
    attempt(() => {
      const { leaves, treeDef } = flat(`${name}.trace`, params)
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

interface Prepared {
  readonly grads: ReadonlyArray<TensorLike>
  readonly compiled: CompiledUpdate
  readonly scalars: Float64Array
}

const updating = <S>(name: string, { known, updateOf }: Tracer) => {
  const operation = `${name}.update`

  /** Whatever is not simply tensors that fit a state met before: promotable, or what is wrong with it. */
  const checked = (grads: unknown, state: AnyState): Pick<Prepared, "compiled" | "grads"> => {
    const { [ownLeaves]: leaves, treeDef } = state
    const parts = floatLeaves(operation, gradientParts(operation, treeDef, grads, true), treeDef)
    checkAlive(operation, leaves, (index) => `state.leaves[${index}]`)
    const compiled = updateOf(state)
    checkShapes(operation, parts, compiled.paramSpecs, treeDef, remedy)
    return { grads: parts, compiled }
  }

  const prepare = (step: number, grads: unknown, state: AnyState): Prepared => {
    checkNotDonated(operation, state)
    checkStep(operation, step)
    const parts = gradientParts(operation, state.treeDef, grads, false)
    const compiled = known(state)
    const ready =
      compiled !== undefined && areTensors(parts, compiled.paramSpecs)
        ? { grads: parts, compiled }
        : checked(grads, state)
    return { ...ready, scalars: Program.evaluateScalars(ready.compiled.plan.program, [step]) }
  }

  const update = Effect.fnUntraced(function* <P>(
    step: number,
    grads: Gradients<NoInfer<P>>,
    state: OptimizerState<P, Slots<S>>,
    { donate = false }: UpdateOptions = {}
  ): Effect.fn.Return<OptimizerState<P, Slots<S>>, OptimError, Tensors> {
    const { execute } = yield* Tensors
    const { compiled, grads: leaves, scalars } = yield* attempt(() => prepare(step, grads, state))
    const outputs = yield* withTensors(leaves, (gradTensors) => {
      const inputs = [...gradTensors, ...state[ownLeaves]]
      const donatedFrom = donate === true ? 0 : donate === "state" ? gradTensors.length : inputs.length
      return execute({ plan: compiled.plan, inputs, scalars, donatedFrom, renewHandles: state[isShown] })
    })
    if (donate !== false) markDonated(state, step)
    return unshown(new OptimizerState(state.treeDef, state.subtreeDefs, outputs))
  })
  // The span of `Effect.fn` records where it was called, which takes 3 µs of the 10 that a small update has.
  const traced: typeof update = (...args) => Effect.useSpan("Optimizer.update", () => update(...args))
  return atomically(traced)
}

/** The optimizer of a rule. */
export const fromRule = <S>(rule: LeafRule<S>): Optimizer<Slots<S>> => {
  const name = rule.name ?? "leafwise"
  const programs = tracer(name, rule)
  const init = initialising<S>(name, programs)
  const update = updating<S>(name, programs)
  const params = <P>(state: OptimizerState<P, Slots<S>>): P => {
    checkNotDonated(`${name}.params`, state)
    const leaves = programs.updateOf(state).paramLeaves.map((leaf) => state.leaves[leaf])
    // The state was made for parameters of type P, and these are their tensors in their order.
    return PyTree.unflatten(state.treeDef, leaves) as P
  }
  const hyperParameters = rule.hyperParameters ?? {}
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
