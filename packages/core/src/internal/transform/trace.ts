/**
 * From a transform to programs.
 *
 * A transform is traced for one structure of parameters, like the rules of optimizers. Where it asks the host which way
 * to go (`branch`), tracing stops: the question becomes a program of its own, and the rest is traced for the answer that
 * turns up, once for each. So an update is a walk through questions to the one program that computes it.
 */
import { PyTree, StructureMismatch, TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { type Fault, InvalidExpression, TensorMismatch } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { pathOf } from "../leaves.ts"
import { sameSpec } from "../optimizer/layout.ts"
import { isZero } from "../trace/rewrites.ts"
import { printSpec } from "../trace/shape.ts"
import type { Any, Context } from "./transform.ts"

/** Parameters without their numbers. */
export interface Signature {
  readonly treeDef: TreeDef.TreeDef
  readonly specs: ReadonlyArray<Expr.TensorSpec>
}

/** What an update gives: the updates themselves, or the parameters with the updates added. */
export type Mode = "update" | "apply"

/** The program of an update, or a question whose answer says how to go on. */
export type Decision =
  | { readonly _tag: "Ready"; readonly plan: Plan.Plan }
  | {
      readonly _tag: "Question"
      /** Computes the condition: a tensor of shape [] if it has an output, a number of the host else. */
      readonly plan: Plan.Plan
      readonly next: (answer: boolean) => Decision
    }

/** A transform traced for one structure of parameters. */
export interface Traced {
  readonly signature: Signature
  /** The structure of the state as the user sees it, and what stands at its leaves: a tensor, or a number. */
  readonly stateDef: TreeDef.TreeDef
  readonly slots: ReadonlyArray<Expr.TensorSpec | undefined>
  /** From the parameters to the state; with `apply`, to the parameters themselves and the state. */
  readonly init: (mode: Mode) => Plan.Plan
  /** The names of the numbers that the host gives to an update, before those of the state. */
  readonly numbers: ReadonlyArray<string>
  /** Are the parameters among the inputs of an update? */
  readonly takesParams: boolean
  readonly update: (mode: Mode) => Decision
}

/** Thrown through a rule that asks something that was not answered yet. */
class Asked extends Error {
  readonly condition: Scalar.Scalar | Expr.Expr

  constructor(condition: Scalar.Scalar | Expr.Expr) {
    super("a transform asks the host which way to go")
    this.condition = condition
  }
}

type Symbol = Expr.Expr | Scalar.Scalar

const symbolsIn = (operation: string, state: unknown): { leaves: ReadonlyArray<Symbol>; def: TreeDef.TreeDef } => {
  const [leaves, def] = PyTree.flatten<unknown>(state)
  leaves.forEach((leaf, index) => {
    if (leaf instanceof Expr.Expr || leaf instanceof Scalar.Scalar) return
    const detail = `the state holds a ${typeof leaf}, expected symbolic tensors and scalars only`
    throw new InvalidExpression({ operation, path: pathOf(def, index), detail })
  })
  // Whatever else there was has been refused.
  return { leaves: leaves as ReadonlyArray<Symbol>, def }
}

/** A symbolic state, or one with other leaves in the place of the symbols, as the user sees it. */
const shown = (state: unknown): unknown =>
  PyTree.map(state, (part: unknown) => (Leaves.isLeaves(part) ? Leaves.toTree(part) : part), {
    isLeaf: Leaves.isLeaves
  })

const isTensor = (symbol: Symbol): symbol is Expr.Expr => symbol instanceof Expr.Expr

const isNumber = (symbol: Symbol): symbol is Scalar.Scalar => symbol instanceof Scalar.Scalar

const describe = (symbol: Symbol | undefined): string =>
  symbol === undefined ? "nothing" : isTensor(symbol) ? printSpec(symbol) : "a number"

const isKept = (before: Symbol, after: Symbol | undefined): boolean =>
  isTensor(before) ? after instanceof Expr.Expr && sameSpec(before, after) : after instanceof Scalar.Scalar

/** Throws unless the state comes back with the structure, shapes and dtypes that it had. */
const checkKept = (
  operation: string,
  before: { readonly leaves: ReadonlyArray<Symbol>; readonly def: TreeDef.TreeDef },
  after: { readonly leaves: ReadonlyArray<Symbol>; readonly def: TreeDef.TreeDef }
): void => {
  if (!Equal.equals(before.def, after.def))
    throw new StructureMismatch({
      operation,
      expected: before.def,
      found: after.def,
      mismatches: TreeDef.mismatches(before.def, after.def),
      subject: "the state that the transform returned",
      reference: "the state that it was given",
      hint: "An update must return the tree of symbols that init made."
    })
  const faults = before.leaves.flatMap((expected, index): ReadonlyArray<Fault> => {
    const found = after.leaves[index]
    return isKept(expected, found)
      ? []
      : [{ path: `state${pathOf(before.def, index)}`, expected: describe(expected), found: describe(found) }]
  })
  if (faults.length > 0)
    throw new TensorMismatch({
      operation,
      faults,
      remedy: "An update must keep the shape and dtype of every tensor of the state."
    })
}

/** The updates in the order of the leaves; throws unless there is one for each, of its shape. */
const checkedUpdates = (
  operation: string,
  { specs, treeDef }: Signature,
  updates: Leaves.Leaves<Expr.Expr>
): Leaves.Leaves<Expr.Expr> => {
  // Without types a rule may return anything; what is no list of leaves has none.
  const positions = Leaves.isLeaves(updates) ? updates.at : []
  const byLeaf = new Map(positions.map((position, index) => [position, updates.items[index]]))
  const faults = specs.flatMap((spec, index): ReadonlyArray<Fault> => {
    const found = byLeaf.get(index)
    return sameSpec(spec, found)
      ? []
      : [{ path: pathOf(treeDef, index), expected: printSpec(spec), found: describe(found) }]
  })
  if (faults.length > 0)
    throw new TensorMismatch({
      operation,
      faults,
      remedy: "A transform must return one update for every leaf, of the leaf's shape."
    })
  return Leaves.make(
    treeDef,
    specs.flatMap((_, index) => byLeaf.get(index) ?? [])
  )
}

/** The symbols of an update: inputs by position, in the order in which executions are given them. */
class Symbols {
  readonly specs: ReadonlyArray<Expr.TensorSpec>
  readonly updates: Leaves.Leaves<Expr.Expr>
  readonly params: Leaves.Leaves<Expr.Expr> | undefined
  readonly state: ReadonlyArray<Symbol>
  readonly numbers: { readonly [name: string]: Scalar.Scalar }

  constructor({ numbers, signature, slots, takesParams }: Omit<Traced, "init" | "update">, mode: Mode) {
    const { specs, treeDef } = signature
    const all: Array<Expr.TensorSpec> = []
    const tensor = (spec: Expr.TensorSpec): Expr.Expr => Expr.input(all.push(spec) - 1, spec)
    const list = (): Leaves.Leaves<Expr.Expr> => Leaves.make(treeDef, specs.map(tensor))
    // What is written over is the input at the same place from the end: updates over updates, parameters over parameters.
    if (mode === "apply") {
      this.updates = list()
      this.params = list()
    } else {
      this.params = takesParams ? list() : undefined
      this.updates = list()
    }
    let host = numbers.length
    this.state = slots.map((spec, index) =>
      spec === undefined ? Scalar.input(`state[${index}]`, host++) : tensor(spec)
    )
    this.numbers = Object.fromEntries(numbers.map((name, index) => [name, Scalar.input(name, index)]))
    this.specs = all
  }
}

const answering = (answers: ReadonlyArray<boolean>): Context<never>["branch"] => {
  let asked = 0
  return (condition) => {
    if (condition instanceof Scalar.Scalar && condition.definition._tag === "Constant")
      return condition.definition.value !== 0
    const answer = answers[asked++]
    if (answer === undefined) throw new Asked(condition)
    return answer
  }
}

const questionPlan = (specs: ReadonlyArray<Expr.TensorSpec>, condition: Symbol): Plan.Plan =>
  Plan.make(isTensor(condition) ? Program.make(specs, [condition]) : Program.make(specs, [], [condition]))

/** The plan of an update for given answers; throws `Asked` where one is missing. */
/** A parameter with its update. What does not move is not written: it stays as it is, also if it is −0. */
const moved = (p: Expr.Expr, u: Expr.Expr): Expr.Expr => (isZero(u) ? p : Expr.add(p, u))

const planOf = (
  transform: Any,
  traced: Omit<Traced, "init" | "update">,
  template: TreeDef.TreeDef,
  mode: Mode,
  symbols: Symbols,
  answers: ReadonlyArray<boolean>
): Plan.Plan => {
  const operation = `${transform.name}.update`
  const extras = symbols.params === undefined ? symbols.numbers : { ...symbols.numbers, params: symbols.params }
  // It has just what the transform says that it needs.
  const context = { ...extras, branch: answering(answers) } as Parameters<Any["update"]>[2]
  const step = transform.update(symbols.updates, PyTree.unflatten(template, symbols.state), context)
  const after = symbolsIn(operation, step.state)
  checkKept(operation, { leaves: symbols.state, def: template }, after)
  const updates = checkedUpdates(operation, traced.signature, step.updates)
  const { params } = symbols
  const results = mode === "apply" && params !== undefined ? Leaves.map(params, updates, moved) : updates
  return Plan.make(
    Program.make(symbols.specs, [...results.items, ...after.leaves.filter(isTensor)], after.leaves.filter(isNumber))
  )
}

const decisions = (
  transform: Any,
  traced: Omit<Traced, "init" | "update">,
  template: TreeDef.TreeDef,
  mode: Mode
): Decision => {
  const symbols = new Symbols(traced, mode)
  const decide = (answers: ReadonlyArray<boolean>): Decision => {
    try {
      return { _tag: "Ready", plan: planOf(transform, traced, template, mode, symbols, answers) }
    } catch (error) {
      if (!(error instanceof Asked)) throw error
      const known = new Map<boolean, Decision>()
      const next = (answer: boolean): Decision => {
        const found = known.get(answer) ?? decide([...answers, answer])
        known.set(answer, found)
        return found
      }
      return { _tag: "Question", plan: questionPlan(symbols.specs, error.condition), next }
    }
  }
  return decide([])
}

const lazily = <K, V>(compute: (key: K) => V): ((key: K) => V) => {
  const known = new Map<K, V>()
  return (key) => {
    const found = known.get(key) ?? compute(key)
    known.set(key, found)
    return found
  }
}

/** Traces a transform; throws `InvalidExpression`, `TensorMismatch` and `StructureMismatch` where its rule is at fault. */
export const trace = (transform: Any, signature: Signature): Traced => {
  const { specs, treeDef } = signature
  const params = Leaves.make(
    treeDef,
    specs.map((spec, index) => Expr.input(index, spec))
  )
  const state: unknown = transform.init(params)
  const { def, leaves } = symbolsIn(`${transform.name}.init`, state)
  const known = {
    signature,
    stateDef: PyTree.structure(shown(state)),
    slots: leaves.map((leaf) => (isTensor(leaf) ? { shape: leaf.shape, dtype: leaf.dtype } : undefined)),
    numbers: Object.keys(transform.needs)
      .filter((need) => need !== "params")
      .toSorted(),
    takesParams: "params" in transform.needs
  }
  return {
    ...known,
    init: lazily((mode: Mode) =>
      Plan.make(
        Program.make(
          specs,
          [...(mode === "apply" ? params.items : []), ...leaves.filter(isTensor)],
          leaves.filter(isNumber)
        )
      )
    ),
    update: lazily((mode: Mode) => decisions(transform, known, def, mode))
  }
}
