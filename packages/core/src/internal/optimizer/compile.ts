/**
 * From the rule for one leaf to one program for the whole tree.
 *
 * The rule runs once per leaf on symbols; all leaves end up in a single program, so that equal work is shared and a
 * plan sees the whole update. What a rule does wrong is reported here, with the path of the leaf.
 */
import { PyTree, StructureMismatch, TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import * as Expr from "../../Expr.ts"
import { type Fault, InvalidExpression, TensorMismatch } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { pathOf } from "../leaves.ts"
import { printSpec } from "../trace/shape.ts"
import { type Layout, sameSpec } from "./layout.ts"
import type { LeafRule } from "./rule.ts"

/** A traced initialisation: the plan from parameters to state leaves, and the structures of the sub-trees. */
export interface CompiledInit {
  readonly plan: Plan.Plan
  readonly scalars: Float64Array
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
}

/** A traced update: where the parameters stand in the state, their specs, and the plan of one step. */
export interface CompiledUpdate {
  readonly paramLeaves: ReadonlyArray<number>
  readonly paramSpecs: ReadonlyArray<Expr.TensorSpec>
  readonly plan: Plan.Plan
}

const noSpec: Expr.TensorSpec = { shape: [], dtype: "float32" }

/** The input of the host that holds the step. */
const step = Scalar.input("step", 0)

/** Runs a part of a rule; an expression that makes no sense is reported with the leaf. */
const atLeaf = <A>(operation: string, path: string, run: () => A): A => {
  try {
    return run()
  } catch (error) {
    if (error instanceof InvalidExpression)
      throw new InvalidExpression({ operation: `${operation}: ${error.operation}`, path, detail: error.detail })
    throw error
  }
}

const exprs = (operation: string, path: string, leaves: ReadonlyArray<unknown>): ReadonlyArray<Expr.Expr> =>
  leaves.map((leaf) => {
    if (leaf instanceof Expr.Expr) return leaf
    throw new InvalidExpression({
      operation,
      path,
      detail: `the state holds a ${typeof leaf}, expected symbolic tensors only`
    })
  })

/** Traces `init` for parameters of given structure and specs. */
export const compileInit = <S>(
  name: string,
  rule: LeafRule<S>,
  treeDef: TreeDef.TreeDef,
  specs: ReadonlyArray<Expr.TensorSpec>
): CompiledInit => {
  const operation = `${name}.init`
  const states = specs.map((spec, index) => {
    const path = pathOf(treeDef, index)
    const [leaves, def] = PyTree.flatten<unknown>(atLeaf(operation, path, () => rule.init(Expr.input(index, spec))))
    return { leaves: exprs(operation, path, leaves), def }
  })
  const plan = Plan.make(
    Program.make(
      specs,
      states.flatMap(({ leaves }) => leaves)
    )
  )
  // The host has no inputs before the first step.
  return { plan, scalars: Program.evaluateScalars(plan.program, []), subtreeDefs: states.map(({ def }) => def) }
}

interface Symbols<S> {
  readonly state: S
  readonly leaves: ReadonlyArray<Expr.Expr>
  readonly first: number
}

/** Symbols for the state's leaves, numbered from `offset`, one sub-tree per parameter leaf. */
const symbols = <S>({ specs, subtreeDefs }: Layout, offset: number): ReadonlyArray<Symbols<S>> => {
  let first = 0
  return subtreeDefs.map((def) => {
    const start = first
    first += def.leafCount
    const leaves = specs.slice(start, first).map((spec, index) => Expr.input(offset + start + index, spec))
    // The structure is the one that this rule's `init` made, so the tree is of the rule's own type.
    return { state: PyTree.unflatten(def, leaves) as S, leaves, first: start }
  })
}

const paramLeaf = <S>(
  operation: string,
  path: string,
  rule: LeafRule<S>,
  { first, leaves, state }: Symbols<S>
): number => {
  const index = leaves.indexOf(atLeaf(operation, path, () => rule.params(state)))
  if (index >= 0) return first + index
  throw new InvalidExpression({
    operation,
    path,
    detail: "params computes something, expected it to return a tensor of the state"
  })
}

const drift = (
  path: string,
  before: ReadonlyArray<Expr.Expr>,
  after: ReadonlyArray<Expr.Expr>,
  def: TreeDef.TreeDef
): ReadonlyArray<Fault> =>
  after.flatMap((expr, slot) => {
    const expected = before[slot]
    if (expected === undefined || sameSpec(expected, expr)) return []
    return [{ path: `${path}${pathOf(def, slot)}`, expected: printSpec(expected), found: printSpec(expr) }]
  })

const changed = (
  operation: string,
  path: string,
  expected: TreeDef.TreeDef,
  found: TreeDef.TreeDef
): StructureMismatch =>
  new StructureMismatch({
    operation,
    expected,
    found,
    mismatches: TreeDef.mismatches(expected, found),
    subject: `the state that the rule returned at leaf ${path === "" ? "(root)" : path}`,
    reference: "the state that it was given",
    hint: "An update must return the tree of tensors that init made."
  })

interface Updated {
  readonly leaves: ReadonlyArray<Expr.Expr>
  readonly def: TreeDef.TreeDef
}

/** Throws unless every sub-tree comes back with the structure, shapes and dtypes that it had. */
const checkKept = <S>(
  operation: string,
  layout: Layout,
  before: ReadonlyArray<Symbols<S>>,
  after: ReadonlyArray<Updated>
): void => {
  after.forEach(({ def }, index) => {
    const expected = layout.subtreeDefs[index]
    if (expected === undefined || Equal.equals(expected, def)) return
    throw changed(operation, pathOf(layout.treeDef, index), expected, def)
  })
  const faults = after.flatMap(({ def, leaves }, index) =>
    drift(pathOf(layout.treeDef, index), before[index]?.leaves ?? [], leaves, def)
  )
  if (faults.length > 0)
    throw new TensorMismatch({
      operation,
      faults,
      remedy: "An update must keep the shape and dtype of every tensor of the state."
    })
}

/** What is done to the gradients of all leaves together before the rule sees them. */
export type Before = (grads: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>

/** Traces `update` for a state of a given layout: inputs are the gradients, then the leaves of the state. */
export const compileUpdate = <S>(name: string, rule: LeafRule<S>, layout: Layout, before: Before): CompiledUpdate => {
  const operation = `${name}.update`
  const states = symbols<S>(layout, layout.subtreeDefs.length)
  const paramLeaves = states.map((symbol, index) => paramLeaf(operation, pathOf(layout.treeDef, index), rule, symbol))
  const paramSpecs = paramLeaves.map((leaf) => layout.specs[leaf] ?? noSpec)
  const grads = before(paramSpecs.map((spec, index) => Expr.input(index, spec)))
  const after = states.map(({ state }, index) => {
    const path = pathOf(layout.treeDef, index)
    const g = grads[index] ?? Expr.input(index, noSpec)
    const [leaves, def] = PyTree.flatten<unknown>(atLeaf(operation, path, () => rule.update(step, g, state)))
    return { leaves: exprs(operation, path, leaves), def }
  })
  checkKept(operation, layout, states, after)
  const plan = Plan.make(
    Program.make(
      [...paramSpecs, ...layout.specs],
      after.flatMap(({ leaves }) => leaves)
    )
  )
  return { paramLeaves, paramSpecs, plan }
}
