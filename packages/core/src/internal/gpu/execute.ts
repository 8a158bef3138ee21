/**
 * Execution of plans on a graphics processor: which tensor each pass writes to, and who owns it.
 *
 * Nothing is read back: a number that the device computes stays there. As long as tfjs computes parts of the plan, a
 * tensor is made when it is written; after that all are made before the first pass runs, so that whatever fails for want
 * of memory fails before a donated input is written over. An input is written over only if nobody else sees its
 * numbers: no other handle, no other input.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Plan } from "../../Plan.ts"
import type { Execution } from "../../Tensors.ts"
import { computeNode } from "../tfjs/interpret.ts"
import { share } from "../tfjs/share.ts"
import { type Limits, lower, type Lowered, type LoweredStep, type Pass } from "./lower.ts"

/** A pass applied to tensors. */
export interface Application {
  readonly pass: Pass
  readonly inputs: ReadonlyArray<Tensor>
  readonly results: ReadonlyArray<Tensor>
}

/** A graphics processor as the executor sees it. */
export interface Device {
  readonly limits: Limits
  /** May a pass write over one of its inputs? */
  readonly inPlace: boolean
  /** A float32 tensor with whatever numbers are there; throws `OutOfMemoryDefect`. */
  readonly make: (shape: ReadonlyArray<number>) => Tensor
  /** How many handles share the data of a tensor. */
  readonly handles: (tensor: Tensor) => number
  /** Runs the applications one after the other. */
  readonly run: (applications: ReadonlyArray<Application>, scalars: Float64Array) => void
}

/** How many plans stay lowered. */
const capacity = 64

/** A lowered plan with what is needed to place its results. */
interface Placed extends Lowered {
  /** Which input each result may be written over. */
  readonly over: ReadonlyMap<number, number>
  /** The step from which on no operation of tfjs follows. */
  readonly tail: number
  /** For each step, the slots that nobody reads after it. */
  readonly releases: ReadonlyArray<ReadonlyArray<number>>
}

const readsOf = ({ plan }: Lowered, step: LoweredStep): ReadonlyArray<number> => {
  if (step._tag === "Passes") return step.passes.flatMap(({ inputs }) => inputs.map(({ node }) => node))
  if (step._tag === "Fill") return []
  return (plan.program.nodes[step.node]?.args ?? []).flatMap((arg) => (arg._tag === "Node" ? [arg.id] : []))
}

const writesOf = (step: LoweredStep): ReadonlyArray<number> => {
  if (step._tag === "Passes") return step.passes.flatMap(({ results }) => results.map(({ slot }) => slot))
  return [step._tag === "Fill" ? step.slot : step.node]
}

const releasesOf = (lowered: Lowered): ReadonlyArray<ReadonlyArray<number>> => {
  const kept = new Set(lowered.plan.program.outputs)
  const last = new Map<number, number>()
  lowered.steps.forEach((step, at) => {
    for (const slot of [...writesOf(step), ...readsOf(lowered, step)]) last.set(slot, at)
  })
  const releases = lowered.steps.map((): Array<number> => [])
  for (const [slot, at] of last) {
    const isInput = lowered.plan.program.nodes[slot]?.operation.op === "input"
    if (!isInput && !kept.has(slot)) releases[at]?.push(slot)
  }
  return releases
}

const isWhole = (strides: ReadonlyArray<number>, extents: ReadonlyArray<number>): boolean =>
  strides.at(-1) === 1 &&
  strides.every(
    (stride, loop) => loop === strides.length - 1 || stride === (strides[loop + 1] ?? 0) * (extents[loop + 1] ?? 0)
  )

/**
 * Which results can be written over which inputs: the pass reads the input element by element as it writes the result,
 * and nobody reads the input after that. The partner of an output is the input at the same place from the end: there an
 * optimizer's state stands, slot by slot.
 */
const overOf = (lowered: Lowered, tail: number): ReadonlyMap<number, number> => {
  const { plan, steps } = lowered
  const { inputs, nodes, outputs } = plan.program
  const partner = new Map(outputs.map((node, index) => [node, inputs.length - outputs.length + index]))
  const lastRead = new Map<number, number>()
  steps.forEach((step, at) => {
    for (const slot of readsOf(lowered, step)) lastRead.set(slot, at)
  })
  // What tfjs read may live on in its result: tfjs shares data between tensors.
  const shared = new Set(steps.flatMap((step) => (step._tag === "Library" ? readsOf(lowered, step) : [])))
  const over = new Map<number, number>()
  steps.forEach((step, at) => {
    if (step._tag !== "Passes" || at < tail || !step.isWhole) return
    const store = step.passes.at(-1)
    if (store === undefined || store.reduce !== undefined) return
    const readAt = (index: number) =>
      store.inputs.filter(({ node }) => {
        const { operation } = nodes[node] ?? { operation: { op: "fill" } }
        return operation.op === "input" && operation.index === index
      })
    for (const { slot } of store.results) {
      const input = partner.get(slot)
      if (input === undefined || inputs[input]?.shape.join() !== nodes[slot]?.shape.join()) continue
      const [read, ...others] = readAt(input)
      if (read === undefined || others.length > 0 || !isWhole(read.strides, store.extents)) continue
      if (lastRead.get(read.node) === at && !outputs.includes(read.node) && !shared.has(read.node))
        over.set(slot, input)
    }
  })
  return over
}

const place = (plan: Plan, { inPlace, limits }: Device): Placed => {
  const lowered = lower(plan, limits)
  const tail = lowered.steps.findLastIndex(({ _tag }) => _tag === "Library") + 1
  return { ...lowered, tail, over: inPlace ? overOf(lowered, tail) : new Map(), releases: releasesOf(lowered) }
}

/** One execution. */
class Run {
  readonly #device: Device
  readonly #placed: Placed
  readonly #execution: Execution
  readonly #values: Array<Tensor | undefined> = []
  readonly #made = new Set<Tensor>()
  /** Inputs that are written over. */
  readonly #reused = new Set<number>()
  readonly #alone: (input: number) => boolean

  constructor(device: Device, placed: Placed, execution: Execution) {
    this.#device = device
    this.#placed = placed
    this.#execution = execution
    placed.plan.program.nodes.forEach(({ operation }, id) => {
      if (operation.op === "input") this.#values[id] = execution.inputs[operation.index]
    })
    const { donatedFrom, inputs } = execution
    const seen = new Map<object, number>()
    if (placed.over.size > 0 && donatedFrom < inputs.length)
      for (const { dataId } of inputs) seen.set(dataId, (seen.get(dataId) ?? 0) + 1)
    this.#alone = (input) => {
      const tensor = inputs[input]
      return (
        input >= donatedFrom && tensor !== undefined && seen.get(tensor.dataId) === 1 && device.handles(tensor) === 1
      )
    }
  }

  #value(slot: number): Tensor {
    const value = this.#values[slot]
    if (value === undefined) throw new Error(`a verified plan computes ${slot} before it is read`)
    return value
  }

  #keep(slot: number, value: Tensor): void {
    this.#made.add(value)
    this.#values[slot] = value
  }

  /** The tensor that a result is written to. */
  #result(slot: number): Tensor {
    const over = this.#placed.over.get(slot)
    if (over !== undefined && this.#alone(over)) {
      this.#reused.add(over)
      const tensor = this.#execution.inputs[over] as Tensor
      this.#values[slot] = tensor
      return tensor
    }
    this.#keep(slot, this.#device.make(this.#placed.shapes[slot] ?? []))
    return this.#value(slot)
  }

  #apply(pass: Pass): Application {
    const inputs = pass.inputs.map(({ node }) => this.#value(node))
    return { pass, inputs, results: pass.results.map(({ slot }) => this.#result(slot)) }
  }

  /** Does what is done at once, and gives the applications that are not. */
  #step(step: LoweredStep): ReadonlyArray<Application> {
    const { plan, shapes } = this.#placed
    const { scalars } = this.#execution
    switch (step._tag) {
      case "Passes":
        return step.passes.map((pass) => this.#apply(pass))
      case "Fill":
        this.#keep(step.slot, tf.keep(tf.tidy(() => tf.fill([...(shapes[step.slot] ?? [])], step.value))))
        return []
      case "Library": {
        const compute = () => computeNode(plan.program, step.node, scalars, (id) => this.#value(id))
        this.#keep(step.node, tf.keep(tf.tidy(compute)))
        return []
      }
    }
  }

  #release(at: number): void {
    for (const slot of this.#placed.releases[at] ?? []) {
      const value = this.#values[slot]
      if (value !== undefined && this.#made.delete(value)) value.dispose()
    }
  }

  run(): ReadonlyArray<Tensor> {
    const { steps, tail } = this.#placed
    const { scalars } = this.#execution
    steps.slice(0, tail).forEach((step, at) => {
      this.#device.run(this.#step(step), scalars)
      this.#release(at)
    })
    this.#device.run(
      steps.slice(tail).flatMap((step) => this.#step(step)),
      scalars
    )
    for (let at = tail; at < steps.length; at++) this.#release(at)
    return this.#finish()
  }

  /** The outputs, each under a handle of its own; what was donated is released. */
  #finish(): ReadonlyArray<Tensor> {
    const { donatedFrom, inputs, renewHandles } = this.#execution
    const reused = new Set([...this.#reused].map((index) => inputs[index]))
    const given = new Set<Tensor>()
    const outputs = this.#placed.plan.program.outputs.map((node) => {
      const value = this.#value(node)
      const isOurs = this.#made.has(value) || (!renewHandles && reused.has(value))
      if (!isOurs || given.has(value)) {
        const handle = tf.keep(share(value))
        // Should a later output fail.
        this.#made.add(handle)
        return handle
      }
      given.add(value)
      return value
    })
    for (const tensor of inputs.slice(donatedFrom)) if (!tensor.isDisposed && !given.has(tensor)) tensor.dispose()
    return outputs
  }

  /** Disposes what was made: something has failed. */
  abandon(): void {
    for (const tensor of this.#made) if (!tensor.isDisposed) tensor.dispose()
  }
}

/** The executor of one layer. */
export class Executor {
  readonly #device: Device
  readonly #placed = new Map<Plan, Placed>()

  constructor(device: Device) {
    this.#device = device
  }

  #place(plan: Plan): Placed {
    const placed = this.#placed.get(plan) ?? place(plan, this.#device)
    // The latest last, so that the first is the one to go.
    this.#placed.delete(plan)
    this.#placed.set(plan, placed)
    const [oldest] = this.#placed.keys()
    if (this.#placed.size > capacity && oldest !== undefined) this.#placed.delete(oldest)
    return placed
  }

  /** Executes a plan; a function of its own, to be handed on. */
  readonly execute = (execution: Execution): ReadonlyArray<Tensor> => {
    const run = new Run(this.#device, this.#place(execution.plan), execution)
    try {
      return run.run()
    } catch (error) {
      run.abandon()
      throw error
    }
  }
}
