/**
 * The programs of one optimizer: traced at first need, remembered by structure, shapes and dtypes.
 */
import type { TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import type { TensorSpec } from "../../Expr.ts"
import { checkAlive } from "../leaves.ts"
import { memo } from "../memo.ts"
import { type CompiledInit, compileInit, type CompiledUpdate, compileUpdate } from "./compile.ts"
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
  /**
   * The update for a state; in the steady state of training its layout is recognised by identity. Given an operation,
   * throws `DisposedTensor` in its name if a tensor of the state is gone.
   */
  readonly updateOf: (state: AnyState, operation?: string) => CompiledUpdate
}

const sameShape = (a: Shape, b: Shape): boolean => Equal.equals(a.treeDef, b.treeDef) && sameSpecs(a.specs, b.specs)

/** The tracer of a rule. */
export const tracer = <S>(name: string, rule: LeafRule<S>): Tracer => {
  const init = memo(sameShape, ({ specs, treeDef }) => compileInit(name, rule, treeDef, specs))
  const update = memo(sameLayout, (layout: Layout) => compileUpdate(name, rule, layout))
  const known = new WeakMap<ReadonlyArray<unknown>, { readonly layout: Layout; readonly update: CompiledUpdate }>()
  const updateOf = (state: AnyState, operation?: string): CompiledUpdate => {
    const latest = known.get(state.subtreeDefs)
    if (latest !== undefined && latest.layout.treeDef === state.treeDef && haveSpecs(state.leaves, latest.layout.specs))
      return latest.update
    if (operation !== undefined) checkAlive(operation, state.leaves, (index) => `state.leaves[${index}]`)
    const layout = layoutOf(state)
    const compiled = update(layout)
    known.set(state.subtreeDefs, { layout, update: compiled })
    return compiled
  }
  return { init, update, updateOf }
}

/** The layout of the states that an initialisation makes. */
export const layoutAfter = ({ plan, subtreeDefs }: CompiledInit, treeDef: TreeDef.TreeDef): Layout => ({
  treeDef,
  subtreeDefs,
  specs: plan.program.outputs.map((id) => plan.program.nodes[id] ?? { shape: [], dtype: "float32" })
})
