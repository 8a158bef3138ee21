/**
 * A plan made ready for the heap: everything about its execution that does not depend on addresses.
 *
 * Kernels of one kind that follow each other become one call with a record each. The block of records lives in the heap
 * as long as the plan is known; an execution only writes the addresses into it.
 */
import type { FusedStep } from "../plan/fuse.ts"
import type { Plan } from "../../Plan.ts"
import type { Program } from "../../Program.ts"
import { sizeOf } from "../trace/shape.ts"
import { recordWords } from "./compile.ts"
import type { Modules, Run } from "./modules.ts"

const wordBytes = 4

/** Several applications of one kernel with the same scalars. */
export interface Call {
  readonly _tag: "Call"
  readonly run: Run
  readonly count: number
  /** Where its records start, in words from the start of the block. */
  readonly records: number
  /** Where its scalars start, in words from the start of the block. */
  readonly scalarWords: number
  readonly scalars: ReadonlyArray<number>
}

/** A node that tfjs computes. */
export interface LibraryCall {
  readonly _tag: "Library"
  readonly node: number
}

/** A result that kernels add to, and so must hold the neutral element before. */
export interface Initial {
  readonly node: number
  readonly size: number
  readonly value: number
}

/** A place in the block that takes the address of a node's numbers. */
interface AddressWord {
  readonly word: number
  readonly node: number
}

/** Numbers between kernels that no one outside sees: an offset in a block that lives for one execution. */
export interface Temporary {
  readonly node: number
  readonly offset: number
}

/** A node that kernels write, as a tensor; and the input that it may be written over if that is given away and alone, or −1. */
export interface Written {
  readonly node: number
  readonly shape: ReadonlyArray<number>
  readonly over: number
}

/** An output: its node, and whether it is the first that has its tensor and the tensor is not an input. */
export interface Output extends Pick<Written, "node" | "over"> {
  readonly owns: boolean
}

/** A plan ready for execution. */
export interface Prepared {
  readonly plan: Plan
  readonly calls: ReadonlyArray<Call | LibraryCall>
  readonly words: Int32Array
  /** The words that take addresses, and the nodes whose addresses they take. */
  readonly addressWords: Int32Array
  readonly addressNodes: Int32Array
  readonly initials: ReadonlyArray<Initial>
  /** Nodes of the program's inputs, by position; −1 for one that is not used. */
  readonly inputNodes: Int32Array
  /** Nodes that kernels write and that are tensors: outputs, and what library operations read. */
  readonly tensors: ReadonlyArray<Written>
  /** The inputs that they may be written over. */
  readonly overs: Int32Array
  readonly temporaries: ReadonlyArray<Temporary>
  readonly temporaryBytes: number
  /** Are the temporaries so few (sums, norms) that they live beside the block? */
  readonly keepsTemporaries: boolean
  readonly outputs: ReadonlyArray<Output>
  /** The position of the input that is the partner of the first output: the inputs that may be written over follow. */
  readonly partnersFrom: number
  /** Is every output written by a kernel, and nothing else made but temporaries that are kept? */
  readonly isPlain: boolean
  /** Nodes whose tensors nobody keeps. */
  readonly dropped: ReadonlyArray<number>
}

const identity = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }

const isEmpty = ({ extents }: FusedStep): boolean => extents.includes(0)

const recordOf = ({
  extents,
  inputs,
  kernel,
  results
}: FusedStep): { words: ReadonlyArray<number>; nodes: ReadonlyArray<number> } => {
  const buffers = [...inputs, ...results]
  const outer = kernel.loops - 1
  // The address comes later; a stride of the innermost loop is known to the code.
  const words = buffers.flatMap(({ strides }) => [0, ...strides.slice(0, outer).map((stride) => stride * wordBytes)])
  return { words: [...extents, ...words], nodes: buffers.map(({ node }) => node) }
}

interface Group {
  readonly key: string
  readonly steps: Array<FusedStep>
}

/** Neighbours with the same kernel and scalars together. */
const grouped = (plan: Plan): ReadonlyArray<Group | LibraryCall> => {
  const groups: Array<Group | LibraryCall> = []
  for (const step of plan.steps) {
    if (step._tag === "Library") {
      groups.push(step)
      continue
    }
    if (isEmpty(step)) continue
    const key = `${step.key}#${step.scalars.join()}`
    const last = groups.at(-1)
    if (last !== undefined && "key" in last && last.key === key) last.steps.push(step)
    else groups.push({ key, steps: [step] })
  }
  return groups
}

interface Block {
  readonly words: Array<number>
  readonly addresses: Array<AddressWord>
}

const addGroup = ({ addresses, words }: Block, { steps }: Group, modules: Modules): Call => {
  const [first] = steps
  if (first === undefined) throw new Error("a group has at least one step")
  const records = words.length
  for (const step of steps) {
    const { nodes, words: own } = recordOf(step)
    const start = words.length + step.kernel.loops
    nodes.forEach((node, index) => addresses.push({ word: start + index * step.kernel.loops, node }))
    for (const word of own) words.push(word)
  }
  if (words.length - records !== steps.length * recordWords(first.kernel)) throw new Error("records have one size")
  const scalarWords = words.length
  for (let index = 0; index < first.scalars.length; index++) words.push(0)
  const run = modules.get(first.key, first.kernel)
  return { _tag: "Call", run, count: steps.length, records, scalarWords, scalars: first.scalars }
}

const initialsOf = (plan: Plan): ReadonlyArray<Initial> =>
  plan.steps.flatMap((step) =>
    step._tag === "Library"
      ? []
      : step.kernel.results.flatMap(({ reduce }, index) => {
          const node = step.results[index]?.node ?? 0
          return reduce === undefined
            ? []
            : [{ node, size: sizeOf(plan.program.nodes[node]?.shape ?? []), value: identity[reduce] }]
        })
  )

/** Nodes that tfjs reads or that leave the plan. */
const seenOutside = ({ program, steps }: Plan): ReadonlySet<number> => {
  const seen = new Set(program.outputs)
  for (const step of steps) {
    if (step._tag === "Fused") continue
    for (const arg of program.nodes[step.node]?.args ?? []) if (arg._tag === "Node") seen.add(arg.id)
  }
  return seen
}

const alignment = 16

/** Temporaries of so many bytes are kept with the plan, instead of being asked for in every step. */
const mostKept = 2 ** 16

/** The next place where a vector can lie. */
export const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/** For each node, the last step that reads it. */
const lastReads = ({ steps }: Plan): ReadonlyMap<number, number> =>
  new Map(
    steps.flatMap((step, at) => (step._tag === "Fused" ? step.inputs.map(({ node }) => [node, at] as const) : []))
  )

const isWhole = (strides: ReadonlyArray<number>, extents: ReadonlyArray<number>): boolean =>
  strides.at(-1) === 1 &&
  strides.every(
    (stride, loop) => loop === strides.length - 1 || stride === (strides[loop + 1] ?? 0) * (extents[loop + 1] ?? 0)
  )

/**
 * Which outputs can be written over which inputs: the kernel reads the input element by element as it writes the output,
 * and no later step reads the input. The partner of an output is the input at the same place from the end: there an
 * optimizer's state stands, slot by slot.
 */
const inPlaceOf = (plan: Plan, inputAt: ReadonlyMap<number, number>): ReadonlyMap<number, number> => {
  const { program, steps } = plan
  const reads = lastReads(plan)
  // What a library operation read may live on in its result: tfjs shares data between tensors.
  const kept = seenOutside(plan)
  const lastLibrary = steps.findLastIndex(({ _tag }) => _tag === "Library")
  const partner = new Map(
    program.outputs.map((node, index) => [node, program.inputs.length - program.outputs.length + index])
  )
  const inPlace = new Map<number, number>()
  steps.forEach((step, at) => {
    if (step._tag === "Library" || at < lastLibrary) return
    const walkedOnce = step.inputs.filter(
      ({ node, strides }) =>
        isWhole(strides, step.extents) && step.inputs.filter((other) => other.node === node).length === 1
    )
    const free = new Set(
      walkedOnce.filter(({ node }) => !kept.has(node) && reads.get(node) === at).map(({ node }) => inputAt.get(node))
    )
    step.kernel.results.forEach(({ reduce }, index) => {
      const node = step.results[index]?.node ?? 0
      const over = partner.get(node)
      const fits = over !== undefined && program.inputs[over]?.shape.join() === program.nodes[node]?.shape.join()
      if (reduce === undefined && fits && free.has(over)) inPlace.set(node, over)
    })
  })
  return inPlace
}

const outputsOf = ({ nodes, outputs }: Program, over: ReadonlyMap<number, number>): ReadonlyArray<Output> => {
  const taken = new Set<number>()
  return outputs.map((node) => {
    const owns = !taken.has(node) && nodes[node]?.operation.op !== "input"
    taken.add(node)
    return { node, owns, over: over.get(node) ?? -1 }
  })
}

const temporariesOf = (
  program: Program,
  nodes: ReadonlyArray<number>
): { temporaries: ReadonlyArray<Temporary>; bytes: number } => {
  let bytes = 0
  const temporaries = nodes.map((node) => {
    const offset = bytes
    bytes += aligned(sizeOf(program.nodes[node]?.shape ?? []) * wordBytes)
    return { node, offset }
  })
  return { temporaries, bytes }
}

/** Prepares a plan; the words of its block are relative to where the block will lie. */
export const prepare = (plan: Plan, modules: Modules): Prepared => {
  const { program, steps } = plan
  const block: Block = { words: [], addresses: [] }
  const outside = seenOutside(plan)
  const inputNodes = new Int32Array(program.inputs.length).fill(-1)
  const inputAt = new Map<number, number>()
  program.nodes.forEach(({ operation }, id) => {
    if (operation.op !== "input") return
    inputNodes[operation.index] = id
    inputAt.set(id, operation.index)
  })
  const over = inPlaceOf(plan, inputAt)
  const calls = grouped(plan).map((group) => ("key" in group ? addGroup(block, group, modules) : group))
  const written = steps.flatMap((step) => (step._tag === "Fused" ? step.results.map(({ node }) => node) : []))
  const library = steps.flatMap((step) => (step._tag === "Library" ? [step.node] : []))
  const { bytes, temporaries } = temporariesOf(
    program,
    written.filter((node) => !outside.has(node))
  )
  const keepsTemporaries = bytes <= mostKept
  const tensors = written.filter((node) => outside.has(node))
  const kept = new Set(program.outputs)
  const outputs = outputsOf(program, over)
  const dropped = [...tensors, ...library].filter((node) => !kept.has(node))
  return {
    plan,
    calls,
    words: Int32Array.from(block.words),
    addressWords: Int32Array.from(block.addresses, ({ word }) => word),
    addressNodes: Int32Array.from(block.addresses, ({ node }) => node),
    initials: initialsOf(plan),
    inputNodes,
    tensors: tensors.map((node) => ({ node, shape: program.nodes[node]?.shape ?? [], over: over.get(node) ?? -1 })),
    overs: Int32Array.from(tensors, (node) => over.get(node) ?? -1),
    temporaries,
    temporaryBytes: bytes,
    keepsTemporaries,
    outputs,
    partnersFrom: program.inputs.length - program.outputs.length,
    isPlain: library.length === 0 && keepsTemporaries && dropped.length === 0 && outputs.every(({ owns }) => owns),
    dropped
  }
}
