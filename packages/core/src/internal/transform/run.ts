/**
 * Transforms at work: traced programs on the user's trees.
 *
 * A state is a plain tree that the user holds, tensors and numbers at its leaves; here it is compared with what the
 * transform remembers for these parameters, taken apart, and put together again after the step.
 */
import { PyTree, StructureMismatch, TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { type Fault, MissingArgument, type OptimError, TensorMismatch } from "../../OptimError.ts"
import type { Plan } from "../../Plan.ts"
import { Tensors } from "../../Tensors.ts"
import { atOnce } from "../atOnce.ts"
import { attempt } from "../attempt.ts"
import { checkAlive, describeLeaf, disposeAll, hasSpec, pathOf } from "../leaves.ts"
import { memo } from "../memo.ts"
import { sameSpecs } from "../optimizer/layout.ts"
import { isTensor } from "../tensorLike.ts"
import { evaluatorOf } from "../trace/evaluator.ts"
import { printSpec } from "../trace/shape.ts"
import { type Decision, type Mode, type Signature, trace, type Traced } from "./trace.ts"
import type { Any } from "./transform.ts"

/** The tensors and the numbers of a state, each in the order of its leaves. */
export interface Parts {
  readonly tensors: ReadonlyArray<Tensor>
  readonly numbers: ReadonlyArray<number>
}

const sameSignature = (a: Signature, b: Signature): boolean =>
  Equal.equals(a.treeDef, b.treeDef) && sameSpecs(a.specs, b.specs)

const tracers = new WeakMap<Any, (signature: Signature) => Traced>()

/** The transform traced for one structure of parameters; remembered as long as the transform lives. */
export const tracedFor = (transform: Any, signature: Signature): Traced => {
  const known = tracers.get(transform) ?? memo(sameSignature, (signature: Signature) => trace(transform, signature))
  tracers.set(transform, known)
  return known(signature)
}

const structureFault = (operation: string, { stateDef }: Traced, found: TreeDef.TreeDef): StructureMismatch =>
  new StructureMismatch({
    operation,
    expected: stateDef,
    found,
    mismatches: TreeDef.mismatches(stateDef, found),
    subject: "the state",
    reference: "the state of this transform for these parameters",
    hint: "Pass the state that init or the latest update of this very transform returned."
  })

/** Throws `StructureMismatch` unless a state of this structure is one of this transform. */
export const checkStructure = (operation: string, traced: Traced, found: TreeDef.TreeDef): void => {
  if (!Equal.equals(found, traced.stateDef)) throw structureFault(operation, traced, found)
}

const isSlot = (leaf: unknown, spec: Traced["slots"][number]): boolean =>
  spec === undefined ? typeof leaf === "number" : isTensor(leaf) && hasSpec(leaf, spec)

/** The parts of a state; throws if it is not one of this transform, or if its tensors are gone. */
export const partsOf = (operation: string, traced: Traced, state: unknown): Parts => {
  const [leaves, def] = PyTree.flatten<unknown>(state)
  checkStructure(operation, traced, def)
  const path = (index: number): string => `state${pathOf(def, index)}`
  const faults = leaves.flatMap((leaf, index): ReadonlyArray<Fault> => {
    const spec = traced.slots[index]
    if (isSlot(leaf, spec)) return []
    const found = typeof leaf === "number" ? "a number" : describeLeaf(leaf)
    return [{ path: path(index), expected: spec === undefined ? "a number" : printSpec(spec), found }]
  })
  const remedy = "Pass the state that init or the latest update of this very transform returned."
  if (faults.length > 0) throw new TensorMismatch({ operation, faults, remedy })
  checkAlive(operation, leaves, path)
  return { tensors: leaves.filter(isTensor), numbers: leaves.filter((leaf) => typeof leaf === "number") }
}

/** The state as the user sees it. */
export const stateFrom = ({ slots, stateDef }: Traced, { numbers, tensors }: Parts): unknown => {
  let [tensor, number] = [0, 0]
  return PyTree.unflatten(
    stateDef,
    slots.map((spec) => (spec === undefined ? numbers[number++] : tensors[tensor++]))
  )
}

/** The scalars of a program, which are read before they are computed again. */
const resultsOf = (
  plan: Plan,
  host: ReadonlyArray<number>
): { scalars: Float64Array; results: ReadonlyArray<number> } => {
  const scalars = evaluatorOf(plan.program)(host)
  return { scalars, results: plan.program.results.map((id) => scalars[id] ?? Number.NaN) }
}

/** What an update is given: tensors and numbers by position, and which of the tensors are given away. */
export interface Input {
  readonly inputs: ReadonlyArray<Tensor>
  readonly host: ReadonlyArray<number>
  readonly donatedFrom: number
  readonly renewHandles: boolean
}

/** The outputs of a plan in plain code: first those for the leaves, then the state's tensors. */
export const computed = ({ executeUnsafe }: Tensors["Service"], plan: Plan, { host, ...rest }: Input): Parts => {
  const { results, scalars } = resultsOf(plan, host)
  return { tensors: executeUnsafe({ plan, scalars, ...rest }), numbers: results }
}

/** The state before the first update, of parameters that stay the caller's; with `apply`, their own handles before it. */
export const initial = (
  mode: Mode,
  { init }: Traced,
  params: ReadonlyArray<Tensor>
): Effect.Effect<Parts, OptimError, Tensors> =>
  atOnce((tensors) =>
    computed(tensors, init(mode), { inputs: params, host: [], donatedFrom: params.length, renewHandles: false })
  )

const holds = (plan: Plan, host: ReadonlyArray<number>): boolean => resultsOf(plan, host).results[0] !== 0

/** The numbers of a state before the first update. */
export const initialNumbers = ({ init }: Traced): ReadonlyArray<number> => resultsOf(init("update"), []).results

/** The plan of the very first update, with the answer yes wherever the question depends on tensors. */
export const firstPlan = (mode: Mode, traced: Traced): Plan => {
  const host = [...traced.numbers.map(() => 0), ...initialNumbers(traced)]
  let decision = traced.update(mode)
  while (decision._tag === "Question")
    decision = decision.next(decision.plan.program.outputs.length > 0 || holds(decision.plan, host))
  return decision.plan
}

/** The way as far as the host can go alone. */
export const answered = (first: Decision, host: ReadonlyArray<number>): Decision => {
  let decision = first
  while (decision._tag === "Question" && decision.plan.program.outputs.length === 0)
    decision = decision.next(holds(decision.plan, host))
  return decision
}

/** Computes a condition that depends on tensors. */
const askTensor = Effect.fnUntraced(function* (
  plan: Plan,
  { host, inputs }: Input
): Effect.fn.Return<boolean, OptimError, Tensors> {
  const { read } = yield* Tensors
  const given = { inputs, host, donatedFrom: inputs.length, renewHandles: false }
  const { tensors: outputs } = yield* atOnce((tensors) => computed(tensors, plan, given))
  const [answer] = outputs
  if (answer === undefined) return false
  const [value = 0] = yield* Effect.ensuring(
    read(answer),
    Effect.sync(() => disposeAll(outputs))
  )
  return value !== 0
})

/** Answers the questions on the way, and computes the outputs. */
export const updated = Effect.fnUntraced(function* (
  first: Decision,
  input: Input
): Effect.fn.Return<Parts, OptimError, Tensors> {
  let decision = yield* attempt(() => answered(first, input.host))
  while (decision._tag === "Question") {
    const { next, plan } = decision
    const answer = yield* askTensor(plan, input)
    decision = yield* attempt(() => answered(next(answer), input.host))
  }
  const { plan } = decision
  return yield* atOnce((tensors) => computed(tensors, plan, input))
})

/** The numbers that the host gives to an update, in their order; throws `MissingArgument` for one that is not there. */
export const numbersOf = (
  operation: string,
  { needs }: Any,
  { numbers }: Traced,
  given: object
): ReadonlyArray<number> =>
  numbers.map((name) => {
    const value: unknown = name in given ? given[name as keyof typeof given] : undefined
    if (typeof value === "number") return value
    throw new MissingArgument({ operation, argument: name, transform: needs[name] ?? "", expected: "a number" })
  })
