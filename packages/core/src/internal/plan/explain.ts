/**
 * Plans as text: which kernels, how often, over what, and what each costs in memory traffic.
 *
 * Equal kernels are described once, with the number of times that they are applied.
 */
import type { Plan } from "../../Plan.ts"
import { sizeOf } from "../trace/shape.ts"
import type { FusedStep, LibraryStep } from "./fuse.ts"
import type { BodyNode, Operand } from "./kernel.ts"

const bytesPerElement = 4

const product = (extents: ReadonlyArray<number>): number => extents.reduce((all, extent) => all * extent, 1)

/** Bytes read and written by one application: each buffer once, however often its numbers are used. */
const traffic = ({ extents, inputs, results }: FusedStep): { read: number; written: number } => {
  const touched = (strides: ReadonlyArray<number>): number =>
    bytesPerElement * strides.reduce((all, stride, loop) => (stride === 0 ? all : all * (extents[loop] ?? 1)), 1)
  const total = (buffers: FusedStep["inputs"]): number =>
    buffers.reduce((all, { strides }) => all + touched(strides), 0)
  return { read: total(inputs), written: total(results) }
}

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

const describeLibrary = ({ program }: Plan, steps: ReadonlyArray<LibraryStep>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { node } of steps) {
    const { dtype, operation, shape } = program.nodes[node] ?? { dtype: "", operation: { op: "" }, shape: [] }
    const name = `${operation.op} to ${dtype} [${shape.join(", ")}]`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(
    ([name, count]) => `not fused: ${name}, ${pluralised(count, "time")} (kernels do not have it; tfjs does it)`
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
