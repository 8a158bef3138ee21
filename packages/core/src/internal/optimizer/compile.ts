/**
 * From the rule for one leaf to one program for the whole tree.
 *
 * The rule runs on symbols, once for all leaves whose slots have the same shapes; all leaves end up in a single program.
 * Where something is done to the gradients of all leaves together, the whole is planned at once; otherwise leaves have
 * nothing to do with each other, and the plan of one serves for all that are like it. What a rule does wrong is reported
 * here, with the path of the leaf.
 */
import { PyTree, StructureMismatch, TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import * as Expr from "../../Expr.ts"
import { type Fault, InvalidExpression, TensorMismatch } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { pathOf } from "../leaves.ts"
import { replicate } from "../plan/replicate.ts"
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

/** One leaf of the parameters in a state: its sub-tree, and which leaves of the state are its slots. */
interface Seat {
  readonly path: () => string
  readonly def: TreeDef.TreeDef
  readonly first: number
  readonly specs: ReadonlyArray<Expr.TensorSpec>
}

const seatsOf = ({ specs, subtreeDefs, treeDef }: Layout): ReadonlyArray<Seat> => {
  let first = 0
  return subtreeDefs.map((def, index) => {
    const start = first
    first += def.leafCount
    return { path: () => pathOf(treeDef, index), def, first: start, specs: specs.slice(start, first) }
  })
}

/** The rule at work on one leaf, given the symbols of its gradient and its slots: the slots afterwards. */
type Update = (g: Expr.Expr, slots: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>

/** What tracing finds out about all leaves that are alike. */
interface Kind {
  /** Which of the slots is the parameter. */
  readonly param: number
  readonly update: Update
  /** Slots that come back with another shape or dtype. */
  readonly faults: ReadonlyArray<Fault>
  /** The plan for one leaf: its inputs are the gradient and the slots. */
  readonly plan: () => Plan.Plan
}

const paramSlot = <S>(
  operation: string,
  path: string,
  rule: LeafRule<S>,
  state: S,
  slots: ReadonlyArray<Expr.Expr>
): number => {
  const index = slots.indexOf(atLeaf(operation, path, () => rule.params(state)))
  if (index >= 0) return index
  throw new InvalidExpression({
    operation,
    path,
    detail: "params computes something, expected it to return a tensor of the state"
  })
}

const drift = (
  before: ReadonlyArray<Expr.Expr>,
  after: ReadonlyArray<Expr.Expr>,
  def: TreeDef.TreeDef
): ReadonlyArray<Fault> =>
  after.flatMap((expr, slot) => {
    const expected = before[slot]
    if (expected === undefined || sameSpec(expected, expr)) return []
    return [{ path: pathOf(def, slot), expected: printSpec(expected), found: printSpec(expr) }]
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

/** Traces the rule at one leaf; throws unless the sub-tree comes back with the structure that it had. */
const kindOf = <S>(operation: string, rule: LeafRule<S>, { def, path: pathOfSeat, specs }: Seat): Kind => {
  const path = pathOfSeat()
  // The structure is the one that this rule's `init` made, so the tree is of the rule's own type.
  const stateOf = (slots: ReadonlyArray<Expr.Expr>): S => PyTree.unflatten(def, slots) as S
  const update: Update = (g, slots) => {
    const after = atLeaf(operation, path, () => rule.update(step, g, stateOf(slots)))
    const [leaves, found] = PyTree.flatten<unknown>(after)
    const next = exprs(operation, path, leaves)
    if (!Equal.equals(def, found)) throw changed(operation, path, def, found)
    return next
  }
  const slots = specs.map((spec, slot) => Expr.input(slot + 1, spec))
  const param = paramSlot(operation, path, rule, stateOf(slots), slots)
  const spec = specs[param] ?? noSpec
  const after = update(Expr.input(0, spec), slots)
  return {
    param,
    update,
    faults: drift(slots, after, def),
    plan: () => Plan.make(Program.make([spec, ...specs], after))
  }
}

/** The kinds of all seats; equal ones are one and the same. */
const kindsOf = <S>(operation: string, rule: LeafRule<S>, seats: ReadonlyArray<Seat>): ReadonlyArray<Kind> => {
  const known = new Map<string, { readonly def: TreeDef.TreeDef; readonly kind: Kind }>()
  return seats.map((seat) => {
    const key = `${String(seat.def)} ${seat.specs.map(printSpec).join()}`
    const found = known.get(key)
    if (found !== undefined && Equal.equals(found.def, seat.def)) return found.kind
    const kind = kindOf(operation, rule, seat)
    known.set(key, { def: seat.def, kind })
    return kind
  })
}

/** Throws unless every slot comes back with the shape and dtype that it had. */
const checkKept = (operation: string, seats: ReadonlyArray<Seat>, kinds: ReadonlyArray<Kind>): void => {
  const faults = kinds.flatMap((kind, index) =>
    kind.faults.map((fault) => ({ ...fault, path: `${seats[index]?.path() ?? ""}${fault.path}` }))
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

/** The plan of leaves that have nothing to do with each other. */
const planApart = (
  inputs: ReadonlyArray<Expr.TensorSpec>,
  seats: ReadonlyArray<Seat>,
  kinds: ReadonlyArray<Kind>
): Plan.Plan => {
  const plans = new Map([...new Set(kinds)].map((kind) => [kind, kind.plan()]))
  const parts = kinds.flatMap((kind, index) => {
    const plan = plans.get(kind)
    const { first = 0, specs = [] } = seats[index] ?? {}
    const slots = specs.map((_, slot) => kinds.length + first + slot)
    return plan === undefined ? [] : [{ plan, inputs: [index, ...slots] }]
  })
  return replicate(inputs, parts)
}

/** The plan of leaves whose gradients are looked at together. */
const planTogether = (
  inputs: ReadonlyArray<Expr.TensorSpec>,
  seats: ReadonlyArray<Seat>,
  kinds: ReadonlyArray<Kind>,
  before: Before
): Plan.Plan => {
  const symbols = inputs.map((spec, index) => Expr.input(index, spec))
  const [given, slots] = [symbols.slice(0, kinds.length), symbols.slice(kinds.length)]
  const grads = before(given)
  const after = kinds.flatMap(({ update }, index) => {
    const { first = 0, specs = [] } = seats[index] ?? {}
    const g = grads[index] ?? given[index]
    return g === undefined ? [] : update(g, slots.slice(first, first + specs.length))
  })
  return Plan.make(Program.make(inputs, after))
}

/** Traces `update` for a state of a given layout: inputs are the gradients, then the leaves of the state. */
export const compileUpdate = <S>(
  name: string,
  rule: LeafRule<S>,
  layout: Layout,
  before: Before | undefined
): CompiledUpdate => {
  const operation = `${name}.update`
  const seats = seatsOf(layout)
  const kinds = kindsOf(operation, rule, seats)
  checkKept(operation, seats, kinds)
  const paramLeaves = kinds.map(({ param }, index) => (seats[index]?.first ?? 0) + param)
  const paramSpecs = paramLeaves.map((leaf) => layout.specs[leaf] ?? noSpec)
  const inputs = [...paramSpecs, ...layout.specs]
  const plan = before === undefined ? planApart(inputs, seats, kinds) : planTogether(inputs, seats, kinds, before)
  return { paramLeaves, paramSpecs, plan }
}
