/**
 * One plan made of many: each part applied to inputs of its own, all sharing their scalars.
 *
 * A tree of a thousand equal leaves needs one leaf traced and planned; the others are the same with other numbers for
 * nodes. The result is what planning the whole would give, as long as parts share nothing but scalars. The first steps of
 * all parts come first, then the second ones; among these, which do not depend on each other, equal kernels stand together.
 */
import type { TensorSpec } from "../../Expr.ts"
import type { Plan } from "../../Plan.ts"
import type { Node, ScalarNode } from "../../Program.ts"
import { ScalarTable } from "../trace/scalarTable.ts"
import type { Buffer, FusedPlanStep } from "./fuse.ts"

/** A plan, and which inputs of the whole its inputs are. */
export interface Part {
  readonly plan: Plan
  readonly inputs: ReadonlyArray<number>
}

/** Where a part stands in the whole: the first of its nodes, and where its scalars are. */
interface Place {
  readonly first: number
  readonly scalars: ReadonlyArray<number>
}

const movedNode = (node: Node, { inputs }: Part, { first, scalars }: Place): Node => {
  const { operation } = node
  if (operation.op === "input") return { ...node, operation: { op: "input", index: inputs[operation.index] ?? -1 } }
  const args = node.args.map(({ _tag, id }) =>
    _tag === "Node" ? { _tag, id: first + id } : { _tag, id: scalars[id] ?? -1 }
  )
  return { ...node, args }
}

const movedStep = (step: FusedPlanStep, { first, scalars }: Place): FusedPlanStep => {
  if (step._tag === "Library") return { _tag: "Library", node: first + step.node }
  const moved = ({ node, strides }: Buffer): Buffer => ({ node: first + node, strides })
  return {
    ...step,
    inputs: step.inputs.map(moved),
    scalars: step.scalars.map((id) => scalars[id] ?? -1),
    results: step.results.map(moved)
  }
}

/** The same steps, those of one kernel behind each other. */
const gathered = (steps: ReadonlyArray<FusedPlanStep>): ReadonlyArray<FusedPlanStep> => {
  const byKernel = new Map<string, Array<FusedPlanStep>>()
  for (const step of steps) {
    const key = step._tag === "Fused" ? `${step.key}#${step.scalars.join()}` : ""
    const known = byKernel.get(key)
    if (known === undefined) byKernel.set(key, [step])
    else known.push(step)
  }
  return [...byKernel.values()].flat()
}

/** The places of the parts one behind the other, and all scalars. */
const placesOf = (
  parts: ReadonlyArray<Part>
): { readonly places: ReadonlyArray<Place>; readonly scalars: ReadonlyArray<ScalarNode> } => {
  const table = new ScalarTable()
  const mapped = new Map<Plan, ReadonlyArray<number>>()
  let first = 0
  const places = parts.map(({ plan }): Place => {
    const scalars = mapped.get(plan) ?? table.addAll(plan.program.scalars)
    mapped.set(plan, scalars)
    const place = { first, scalars }
    first += plan.program.nodes.length
    return place
  })
  return { places, scalars: table.items }
}

/** The plan of all parts over these inputs; its outputs are those of the parts, one after the other. */
export const replicate = (inputs: ReadonlyArray<TensorSpec>, parts: ReadonlyArray<Part>): Plan => {
  const { places, scalars } = placesOf(parts)
  const each = <A>(visit: (part: Part, place: Place) => ReadonlyArray<A>): ReadonlyArray<A> =>
    parts.flatMap((part, index) => visit(part, places[index] ?? { first: 0, scalars: [] }))
  const rounds = Math.max(0, ...new Set(parts.map(({ plan }) => plan.steps.length)))
  return {
    program: {
      inputs,
      scalars,
      nodes: each((part, place) => part.plan.program.nodes.map((node) => movedNode(node, part, place))),
      outputs: each(({ plan }, { first }) => plan.program.outputs.map((id) => first + id)),
      results: each(({ plan }, { scalars }) => plan.program.results.map((id) => scalars[id] ?? -1))
    },
    steps: Array.from({ length: rounds }, (_, round) =>
      gathered(each(({ plan }, place) => plan.steps.slice(round, round + 1).map((step) => movedStep(step, place))))
    ).flat(),
    releases: each(({ plan }, { first }) => plan.releases.map((ids) => ids.map((id) => first + id)))
  }
}
