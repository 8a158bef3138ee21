/**
 * Kernels cut into passes: what a graphics processor does in one go.
 *
 * A pass reads a bounded number of tensors. It either stores results of one shape, or reduces one value. A kernel that
 * stores and reduces becomes several passes, reductions first, so that a store may go over what it reads. A kernel that
 * reads more than a pass can keeps values between its passes in temporary tensors.
 */
import type { ReduceOp } from "../../Expr.ts"
import type { Plan } from "../../Plan.ts"
import type { Program } from "../../Program.ts"
import type { Buffer, FusedStep } from "../plan/fuse.ts"
import type { BodyNode, Operand } from "../plan/kernel.ts"

/** How many tensors one pass may touch. */
export interface Limits {
  readonly inputs: number
  readonly results: number
  /** Inputs and results together. */
  readonly tensors: number
}

/** One pass. Its buffers name slots: nodes of the program, then temporaries. */
export interface Pass {
  /** Passes with one key differ in sizes only. */
  readonly key: string
  /** Extents of the loops; of a reduction first those that the result keeps, then those that it folds. */
  readonly extents: ReadonlyArray<number>
  /** How many of the loops the result keeps. */
  readonly kept: number
  readonly inputs: ReadonlyArray<Buffer>
  /** The scalars of the program that it uses. */
  readonly scalars: ReadonlyArray<number>
  readonly body: ReadonlyArray<BodyNode>
  readonly results: ReadonlyArray<{ readonly slot: number; readonly value: Operand }>
  readonly reduce: ReduceOp | undefined
}

/** Passes that do one kernel, a tensor filled with one number, or an operation of tfjs. */
export type LoweredStep =
  | { readonly _tag: "Passes"; readonly passes: ReadonlyArray<Pass>; readonly isWhole: boolean }
  | { readonly _tag: "Fill"; readonly slot: number; readonly value: number }
  | { readonly _tag: "Library"; readonly node: number }

/** A plan for a graphics processor. */
export interface Lowered {
  readonly plan: Plan
  readonly steps: ReadonlyArray<LoweredStep>
  /** The shape of every slot. */
  readonly shapes: ReadonlyArray<ReadonlyArray<number>>
}

const identity = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }

const contiguous = (extents: ReadonlyArray<number>): ReadonlyArray<number> => {
  let stride = 1
  return extents
    .toReversed()
    .map((extent) => {
      const own = stride
      stride *= extent
      return own
    })
    .toReversed()
}

const tokenOf = ({ _tag, index }: Operand): string => `${_tag[0]}${index}`

/** One kernel being cut. */
class Cutter {
  readonly #step: FusedStep
  readonly #limits: Limits
  readonly #temporary: () => number
  /** For each value, the inputs and temporaries that it is computed from. */
  readonly #needs: Array<ReadonlySet<string>> = []
  /** The slots of values that are kept between passes. */
  readonly #kept = new Map<number, number>()
  readonly passes: Array<Pass> = []

  constructor(step: FusedStep, limits: Limits, temporary: () => number) {
    this.#step = step
    this.#limits = limits
    this.#temporary = temporary
    for (const node of step.kernel.body) {
      this.#needs.push(this.#needsOf(node.args))
      this.#bound(this.#needs.length - 1, node)
    }
  }

  #needs1(operand: Operand): ReadonlySet<string> {
    if (operand._tag === "Value") return this.#needs[operand.index] ?? new Set()
    return operand._tag === "Input" ? new Set([tokenOf(operand)]) : new Set()
  }

  #needsOf(operands: ReadonlyArray<Operand>): ReadonlySet<string> {
    return new Set(operands.flatMap((operand) => [...this.#needs1(operand)]))
  }

  /** Keeps arguments of a value until what it needs fits into a pass. */
  #bound(index: number, { args }: BodyNode): void {
    const values = args.filter((arg) => arg._tag === "Value")
    const bySize = values.toSorted((a, b) => this.#needs1(b).size - this.#needs1(a).size)
    for (const { index: value } of bySize) {
      if ((this.#needs[index]?.size ?? 0) <= this.#most) return
      this.#keep(value)
      this.#needs[index] = this.#needsOf(args)
    }
  }

  get #most(): number {
    return Math.min(this.#limits.inputs, this.#limits.tensors - 1)
  }

  #keep(value: number): void {
    const slot = this.#temporary()
    this.passes.push(this.#pass([{ slot, value: { _tag: "Value", index: value } }], undefined))
    this.#kept.set(value, slot)
    this.#needs[value] = new Set([`V${value}`])
  }

  /** Stores the values, as many at a time as a pass can. */
  store(results: ReadonlyArray<{ readonly slot: number; readonly value: Operand }>): void {
    const { inputs, results: most, tensors } = this.#limits
    let group: Array<{ readonly slot: number; readonly value: Operand }> = []
    const finish = () => {
      if (group.length > 0) this.passes.push(this.#pass(group, undefined))
      group = []
    }
    for (const result of results) {
      const needs = this.#needsOf([...group, result].map(({ value }) => value)).size
      if (group.length === most || needs > inputs || needs + group.length + 1 > tensors) finish()
      group.push(result)
    }
    finish()
  }

  reduce(slot: number, value: Operand, op: ReduceOp, strides: ReadonlyArray<number>): void {
    this.passes.push(this.#pass([{ slot, value }], { op, strides }))
  }

  #pass(
    results: Pass["results"],
    reduction: { readonly op: ReduceOp; readonly strides: ReadonlyArray<number> } | undefined
  ): Pass {
    const { extents } = this.#step
    const loops = extents.map((_, loop) => loop)
    const keptLoops = reduction === undefined ? loops : loops.filter((loop) => reduction.strides[loop] !== 0)
    const order = [...keptLoops, ...loops.filter((loop) => !keptLoops.includes(loop))]
    const part = new Part(this.#step, this.#kept)
    const values = results.map(({ slot, value }) => ({ slot, value: part.number(value) }))
    const inputs = part.inputs.map(({ node, strides }) => ({ node, strides: order.map((loop) => strides[loop] ?? 0) }))
    const pass = {
      extents: order.map((loop) => extents[loop] ?? 1),
      kept: keptLoops.length,
      inputs,
      scalars: part.scalars,
      body: part.body,
      results: values,
      reduce: reduction?.op
    }
    return { ...pass, key: keyOf(pass) }
  }
}

const keyOf = ({ body, extents, inputs, kept, reduce, results, scalars }: Omit<Pass, "key">): string =>
  [
    `${reduce ?? "store"} ${kept}/${extents.length} ${inputs.length} ${scalars.length}`,
    body.map(({ args, op }) => `${op}(${args.map(tokenOf).join()})`).join(";"),
    results.map(({ value }) => tokenOf(value)).join()
  ].join("|")

/** The part of a kernel's body that some values need, with operands numbered anew. */
class Part {
  readonly #step: FusedStep
  readonly #kept: ReadonlyMap<number, number>
  readonly #known = new Map<string, Operand>()
  readonly inputs: Array<Buffer> = []
  readonly scalars: Array<number> = []
  readonly body: Array<BodyNode> = []

  constructor(step: FusedStep, kept: ReadonlyMap<number, number>) {
    this.#step = step
    this.#kept = kept
  }

  operand(operand: Operand): Operand {
    const key = tokenOf(operand)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.#make(operand)
    this.#known.set(key, made)
    return made
  }

  /** The operand as a number, which can be stored: 0 or 1 for a mask. */
  number(operand: Operand): Operand {
    const own = this.operand(operand)
    const isMask = own._tag === "Value" && this.body[own.index]?.mask === true
    return isMask ? this.#value({ op: "unmask", args: [own], mask: false }) : own
  }

  #input(buffer: Buffer): Operand {
    return { _tag: "Input", index: this.inputs.push(buffer) - 1 }
  }

  #value(node: BodyNode): Operand {
    return { _tag: "Value", index: this.body.push(node) - 1 }
  }

  #make({ _tag, index }: Operand): Operand {
    const { extents, inputs, kernel, scalars } = this.#step
    if (_tag === "Scalar") return { _tag, index: this.scalars.push(scalars[index] ?? 0) - 1 }
    if (_tag === "Input") return this.#input(inputs[index] ?? { node: 0, strides: [] })
    const node = kernel.body[index]
    if (node === undefined) throw new Error(`a kernel has a value ${index}`)
    const slot = this.#kept.get(index)
    if (slot === undefined) return this.#value({ ...node, args: node.args.map((arg) => this.operand(arg)) })
    const number = this.#input({ node: slot, strides: contiguous(extents) })
    if (!node.mask) return number
    // A mask is kept as 0 or 1.
    const zero = this.#value({ op: "sub", args: [number, number], mask: false })
    return this.#value({ op: "notEqual", args: [number, zero], mask: true })
  }
}

const isEmpty = ({ extents }: FusedStep): boolean => extents.includes(0)

/** What there is to do without elements: reductions of nothing are their neutral element, and empty results are empty. */
const emptySteps = ({ kernel, results }: FusedStep): ReadonlyArray<LoweredStep> =>
  kernel.results.map(({ reduce }, index) => ({
    _tag: "Fill",
    slot: results[index]?.node ?? 0,
    value: reduce === undefined ? 0 : identity[reduce]
  }))

/** The shape in which values between passes are kept: that of a tensor with the same elements, if there is one. */
const temporaryShape = ({ nodes }: Program, { extents, kernel, results }: FusedStep): ReadonlyArray<number> => {
  const stored = kernel.results.findIndex(({ reduce }) => reduce === undefined)
  return nodes[results[stored]?.node ?? -1]?.shape ?? extents
}

const lowerFused = (step: FusedStep, limits: Limits, temporary: () => number): ReadonlyArray<LoweredStep> => {
  if (isEmpty(step)) return emptySteps(step)
  const cutter = new Cutter(step, limits, temporary)
  const targets = step.kernel.results.map((result, index) => ({
    ...result,
    slot: step.results[index]?.node ?? 0,
    strides: step.results[index]?.strides ?? []
  }))
  const temporaries = cutter.passes.length
  for (const { reduce, slot, strides, value } of targets)
    if (reduce !== undefined) cutter.reduce(slot, value, reduce, strides)
  const reductions = cutter.passes.length
  cutter.store(targets.filter(({ reduce }) => reduce === undefined))
  const isWhole = temporaries === 0 && cutter.passes.length <= reductions + 1
  return [{ _tag: "Passes", passes: cutter.passes, isWhole }]
}

/** Lowers a plan. */
export const lower = (plan: Plan, limits: Limits): Lowered => {
  const shapes = plan.program.nodes.map(({ shape }) => shape)
  const steps = plan.steps.flatMap((step): ReadonlyArray<LoweredStep> =>
    step._tag === "Library"
      ? [step]
      : lowerFused(step, limits, () => shapes.push(temporaryShape(plan.program, step)) - 1)
  )
  return { plan, steps, shapes }
}
