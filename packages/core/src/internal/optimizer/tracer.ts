/**
 * The programs of one optimizer: traced at first need, remembered by structure, shapes and dtypes.
 */
import type { TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Equal from "effect/Equal"
import type { TensorSpec } from "../../Expr.ts"
import { memo } from "../memo.ts"
import { type Before, type CompiledInit, compileInit, type CompiledUpdate, compileUpdate } from "./compile.ts"
import { isShown, ownLeaves } from "./handles.ts"
import { type AnyState, haveSpecs, type Layout, layoutOf, sameLayout, sameSpecs } from "./layout.ts"
import type { LeafRule } from "./rule.ts"

/** Parameters without their numbers. */
export interface Shape {
  readonly treeDef: TreeDef.TreeDef
  readonly specs: ReadonlyArray<TensorSpec>
}

/** What an optimizer traces. All throw what `compile` throws. */
export interface Tracer {
  readonly init: (params: Shape) => CompiledInit
  readonly update: (layout: Layout) => CompiledUpdate
  /** The update for a state. */
  readonly updateOf: (state: AnyState) => CompiledUpdate
  /** What is known of a state whose layout was met before and whose tensors live: without tracing, and quickly. */
  readonly known: (state: AnyState) => Known | undefined
}

/** The update for states of one layout, and the latest gradients that fitted it. */
export interface Known {
  readonly update: CompiledUpdate
  grads: ReadonlyArray<Tensor>
}

interface Latest extends Known {
  readonly layout: Layout
  leaves: ReadonlyArray<Tensor>
}

const areAlive = (tensors: ReadonlyArray<Tensor>): boolean => {
  for (const tensor of tensors) if (tensor.isDisposed) return false
  return true
}

const sameShape = (a: Shape, b: Shape): boolean => Equal.equals(a.treeDef, b.treeDef) && sameSpecs(a.specs, b.specs)

/** The tracer of a rule; with `before`, it is given what that makes of the gradients. */
export const tracer = <S>(name: string, rule: LeafRule<S>, before?: Before): Tracer => {
  const init = memo(sameShape, ({ specs, treeDef }) => compileInit(name, rule, treeDef, specs))
  const update = memo(sameLayout, (layout: Layout) => compileUpdate(name, rule, layout, before))
  const latest = new WeakMap<ReadonlyArray<unknown>, Latest>()
  const known = (state: AnyState): Latest | undefined => {
    const { [ownLeaves]: leaves, subtreeDefs, treeDef } = state
    const last = latest.get(subtreeDefs)
    if (last === undefined || last.layout.treeDef !== treeDef) return undefined
    // A state that was written in place has the very list of tensors that it had before; and whoever was shown none of
    // them cannot have disposed any.
    const fits = last.leaves === leaves ? !state[isShown] || areAlive(leaves) : haveSpecs(leaves, last.layout.specs)
    if (!fits) return undefined
    last.leaves = leaves
    return last
  }
  const updateOf = (state: AnyState): CompiledUpdate => {
    const found = known(state)
    if (found !== undefined) return found.update
    const layout = layoutOf(state)
    const compiled = update(layout)
    latest.set(state.subtreeDefs, { layout, leaves: state[ownLeaves], update: compiled, grads: [] })
    return compiled
  }
  return { init, update, updateOf, known }
}

/** The layout of the states that an initialisation makes. */
export const layoutAfter = ({ plan, subtreeDefs }: CompiledInit, treeDef: TreeDef.TreeDef): Layout => ({
  treeDef,
  subtreeDefs,
  specs: plan.program.outputs.map((id) => plan.program.nodes[id] ?? { shape: [], dtype: "float32" })
})
