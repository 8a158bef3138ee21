/**
 * Plans as text: which kernels, how often, over what, and what each costs in memory traffic.
 *
 * Equal kernels are described once, with the number of times that they are applied.
 */
import type { Plan } from "../../Plan.ts"
import type { Node, Program } from "../../Program.ts"
import { printSpec, sizeOf } from "../trace/shape.ts"
import { rolesOf } from "./classify.ts"
import type { FusedStep, LibraryStep } from "./fuse.ts"
import type { BodyNode, Operand } from "./kernel.ts"
import { reasonFor } from "./reasons.ts"

const bytesPerElement = 4

const product = (extents: ReadonlyArray<number>): number => extents.reduce((all, extent) => all * extent, 1)

/** Bytes that go through memory. */
export interface Traffic {
  readonly read: number
  readonly written: number
}

/** Bytes read and written by one application: each buffer once, however often its numbers are used. */
const traffic = ({ extents, inputs, results }: FusedStep): Traffic => {
  const touched = (strides: ReadonlyArray<number>): number =>
    bytesPerElement * strides.reduce((all, stride, loop) => (stride === 0 ? all : all * (extents[loop] ?? 1)), 1)
  const total = (buffers: FusedStep["inputs"]): number =>
    buffers.reduce((all, { strides }) => all + touched(strides), 0)
  return { read: total(inputs), written: total(results) }
}

const bytesOf = (node: Node | undefined): number =>
  node === undefined ? 0 : sizeOf(node.shape) * (node.dtype === "bool" ? 1 : bytesPerElement)

/** Bytes that tfjs reads and writes for one node. */
const libraryTraffic = ({ nodes }: Program, { node }: LibraryStep): Traffic => {
  const args = nodes[node]?.args ?? []
  const read = args.reduce((all, arg) => all + (arg._tag === "Node" ? bytesOf(nodes[arg.id]) : 0), 0)
  return { read, written: bytesOf(nodes[node]) }
}

/** Bytes that a plan reads and writes in all. */
export const planTraffic = ({ program, steps }: Plan): Traffic =>
  steps
    .map((step) => (step._tag === "Fused" ? traffic(step) : libraryTraffic(program, step)))
    .reduce((all, each) => ({ read: all.read + each.read, written: all.written + each.written }), {
      read: 0,
      written: 0
    })

const operand = ({ _tag, index }: Operand): string => `${{ Input: "in", Scalar: "s", Value: "v" }[_tag]}${index}`

const line = ({ args, op }: BodyNode, index: number): string => `    v${index} = ${op}(${args.map(operand).join(", ")})`

const pluralised = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

interface Group {
  readonly steps: ReadonlyArray<FusedStep>
  readonly first: FusedStep
}

const groups = (steps: ReadonlyArray<FusedStep>): ReadonlyArray<Group> => {
  const byKey = new Map<string, Array<FusedStep>>()
  for (const step of steps) {
    const known = byKey.get(step.key)
    if (known === undefined) byKey.set(step.key, [step])
    else known.push(step)
  }
  return [...byKey.values()].flatMap((members) =>
    members[0] === undefined ? [] : [{ steps: members, first: members[0] }]
  )
}

const results = ({ kernel }: FusedStep): ReadonlyArray<string> =>
  kernel.results.map(
    ({ reduce, value }, index) =>
      `    out${index} = ${reduce === undefined ? operand(value) : `${reduce}(${operand(value)})`}`
  )

const describeGroup = ({ first, steps }: Group, index: number): ReadonlyArray<string> => {
  const elements = steps.reduce((all, { extents }) => all + product(extents), 0)
  const bytes = steps.map(traffic)
  const perElement = (which: "read" | "written") =>
    elements === 0 ? "0" : (bytes.reduce((all, each) => all + each[which], 0) / elements).toFixed(1)
  const { inputs, scalars } = first
  return [
    `kernel ${index + 1}: applied ${pluralised(steps.length, "time")}, ${pluralised(elements, "element")}`,
    `    ${pluralised(inputs.length, "input")}, ${pluralised(scalars.length, "scalar")}, ${pluralised(first.results.length, "result")}; per element ${perElement("read")} bytes read, ${perElement("written")} written`,
    ...first.kernel.body.map(line),
    ...results(first)
  ]
}

const nameOf = (node: Node | undefined): string =>
  node === undefined ? "" : `${node.operation.op} to ${printSpec(node)}`

const describeLibrary = ({ program }: Plan, steps: ReadonlyArray<LibraryStep>): ReadonlyArray<string> => {
  const roles = rolesOf(program)
  const found = steps.map(({ node }) => ({
    name: nameOf(program.nodes[node]),
    reason: reasonFor(program, roles, node)
  }))
  const counts = new Map<string, { readonly name: string; readonly reason: string; readonly count: number }>()
  for (const { name, reason } of found) {
    const key = `${name}: ${reason}`
    counts.set(key, { name, reason, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  return [...counts.values()].map(
    ({ count, name, reason }) => `not fused: ${name}, ${pluralised(count, "time")}: ${reason}`
  )
}

/** The plan in words and formulas; stable, for reading and for tests. */
export const explainPlan = (plan: Plan): string => {
  const fused = plan.steps.filter((step) => step._tag === "Fused")
  const library = plan.steps.filter((step) => step._tag === "Library")
  return [...groups(fused).flatMap(describeGroup), ...describeLibrary(plan, library)].join("\n")
}

/** How many numbers a list of tensors holds. */
export const countElements = (specs: ReadonlyArray<{ readonly shape: ReadonlyArray<number> }>): number =>
  specs.reduce((all, { shape }) => all + sizeOf(shape), 0)
