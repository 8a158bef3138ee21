/**
 * Execution of plans in the heap of tfjs' wasm backend.
 *
 * All memory is asked for before the first kernel runs, so a heap that is full fails before anything is written. A
 * donated input is written in place only if nobody else sees its numbers: no other handle, no other input.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Plan } from "../../Plan.ts"
import type { Execution } from "../../Tensors.ts"
import { onBackend } from "../tfjs/backend.ts"
import { computeNode } from "../tfjs/interpret.ts"
import type { Heap, Placement } from "../tfjs/wasmModule.ts"
import { Modules } from "./modules.ts"
import { type LibraryCall, prepare, type Prepared } from "./prepare.ts"

const capacity = 64

const wordBytes = 4

/** A prepared plan and its block in the heap. */
interface Resident {
  readonly prepared: Prepared
  readonly block: number
  readonly nodeAddress: Float64Array
  tensors: ReadonlyArray<Tensor>
  placements: ReadonlyArray<Placement>
  departures: number
}

/** The executor of one layer. */
export class Executor {
  readonly #heap: Heap
  readonly modules: Modules
  readonly #residents = new Map<Plan, Resident>()
  #words = new Int32Array(0)
  #floats = new Float32Array(0)

  constructor(heap: Heap) {
    this.#heap = heap
    this.modules = new Modules(heap.memory)
  }

  /** The memory may have grown, and old views on it died. */
  #refresh(): void {
    const { buffer } = this.#heap.memory
    if (this.#words.buffer === buffer) return
    this.#words = new Int32Array(buffer)
    this.#floats = new Float32Array(buffer)
  }

  #resident(plan: Plan): Resident {
    const known = this.#residents.get(plan)
    if (known !== undefined) {
      if (this.#residents.size > 1) {
        this.#residents.delete(plan)
        this.#residents.set(plan, known)
      }
      return known
    }
    const prepared = prepare(plan, this.modules)
    const block = this.#heap.allocate(Math.max(1, prepared.words.length) * wordBytes)
    this.#refresh()
    this.#words.set(prepared.words, block / wordBytes)
    const nodeAddress = new Float64Array(plan.program.nodes.length)
    const resident: Resident = { prepared, block, nodeAddress, tensors: [], placements: [], departures: -1 }
    this.#residents.set(plan, resident)
    const [[oldest, evicted] = []] = this.#residents
    if (this.#residents.size > capacity && oldest !== undefined && evicted !== undefined) {
      this.#residents.delete(oldest)
      this.#heap.free(evicted.block)
    }
    return resident
  }

  /** Releases the blocks of all plans. */
  close(): void {
    for (const { block } of this.#residents.values()) this.#heap.free(block)
    this.#residents.clear()
  }

  /** Where the inputs lie; what is the same tensor as last time is not looked up again. */
  #place(resident: Resident, inputs: ReadonlyArray<Tensor>): ReadonlyArray<Placement> {
    const departures = this.#heap.departures()
    const valid = resident.departures === departures
    const { placements: before, tensors } = resident
    const placements = inputs.map((tensor, index) => {
      const known = valid && tensors[index] === tensor ? before[index] : undefined
      return known ?? this.#heap.placementOf(tensor)
    })
    resident.tensors = inputs
    resident.placements = placements
    resident.departures = this.#heap.departures()
    return placements
  }

  /** Executes a plan; a function of its own, to be handed on. */
  readonly execute = ({ donatedFrom, inputs, plan, scalars }: Execution): ReadonlyArray<Tensor> => {
    const resident = this.#resident(plan)
    const { prepared } = resident
    const placements = this.#place(resident, inputs)
    const run = new Execute(this.#heap, resident.nodeAddress, prepared, inputs, placements, donatedFrom)
    try {
      run.allocate()
      this.#refresh()
      this.#writeAddresses(resident)
      this.#writeInitials(resident)
      for (const call of prepared.calls) {
        if (call._tag === "Library") {
          run.library(call, scalars)
          this.#refresh()
          // What tfjs computed lies at an address that is known only now.
          this.#writeAddresses(resident)
          continue
        }
        const scalarAddress = resident.block + call.scalarWords * wordBytes
        for (let index = 0; index < call.scalars.length; index++) {
          this.#floats[scalarAddress / wordBytes + index] = scalars[call.scalars[index] ?? 0] ?? Number.NaN
        }
        call.run(resident.block + call.records * wordBytes, call.count, scalarAddress)
      }
      return run.finish()
    } catch (error) {
      run.discard()
      throw error
    }
  }

  #writeAddresses({ block, nodeAddress, prepared }: Resident): void {
    const base = block / wordBytes
    for (const { node, word } of prepared.addresses) this.#words[base + word] = nodeAddress[node] ?? 0
  }

  #writeInitials({ nodeAddress, prepared }: Resident): void {
    for (const { node, size, value } of prepared.initials) {
      const start = (nodeAddress[node] ?? 0) / wordBytes
      if (size === 1) this.#floats[start] = value
      else this.#floats.fill(value, start, start + size)
    }
  }
}

/** One execution: what it made, and what it may write over. */
class Execute {
  readonly #heap: Heap
  readonly #address: Float64Array
  readonly #prepared: Prepared
  readonly #inputs: ReadonlyArray<Tensor>
  readonly #placements: ReadonlyArray<Placement>
  readonly #donatedFrom: number
  readonly #tensorOf = new Map<number, Tensor>()
  readonly #made: Array<Tensor> = []
  readonly #reused = new Set<Tensor>()
  #temporaries = 0

  constructor(
    heap: Heap,
    address: Float64Array,
    prepared: Prepared,
    inputs: ReadonlyArray<Tensor>,
    placements: ReadonlyArray<Placement>,
    donatedFrom: number
  ) {
    this.#heap = heap
    this.#address = address
    this.#prepared = prepared
    this.#inputs = inputs
    this.#placements = placements
    this.#donatedFrom = donatedFrom
  }

  /** Gives every node an address: inputs their own, outputs a donated or a new one, the rest a temporary one. */
  allocate(): void {
    const { inputNodes, plan, temporaries, temporaryBytes, tensors } = this.#prepared
    inputNodes.forEach((node, index) => {
      if (node === undefined) return
      this.#address[node] = this.#placements[index]?.memoryOffset ?? 0
    })
    const reusable = this.#reusable()
    for (const node of tensors) {
      const tensor = reusable(node) ?? this.#make(plan.program.nodes[node]?.shape ?? [])
      this.#tensorOf.set(node, tensor.tensor)
      this.#address[node] = tensor.address
    }
    if (temporaryBytes > 0) this.#temporaries = this.#heap.allocate(temporaryBytes)
    for (const { node, offset } of temporaries) this.#address[node] = this.#temporaries + offset
  }

  #make(shape: ReadonlyArray<number>): { tensor: Tensor; address: number } {
    const tensor = this.#heap.makeTensor(shape)
    this.#made.push(tensor)
    return { tensor, address: this.#heap.placementOf(tensor).memoryOffset }
  }

  /** The donated tensor over which an output may be written, if nobody else sees its numbers. */
  #reusable(): (node: number) => { tensor: Tensor; address: number } | undefined {
    const { inPlace } = this.#prepared
    if (this.#donatedFrom >= this.#inputs.length || inPlace.size === 0) return () => undefined
    const uses = new Map<number, number>()
    for (const { memoryOffset } of this.#placements) uses.set(memoryOffset, (uses.get(memoryOffset) ?? 0) + 1)
    return (node) => {
      const index = inPlace.get(node)
      const tensor = index === undefined ? undefined : this.#inputs[index]
      const placement = index === undefined ? undefined : this.#placements[index]
      if (tensor === undefined || placement === undefined || index === undefined || index < this.#donatedFrom)
        return undefined
      if (placement.refCount !== 1 || uses.get(placement.memoryOffset) !== 1) return undefined
      this.#reused.add(tensor)
      return { tensor, address: placement.memoryOffset }
    }
  }

  #valueOf(node: number): Tensor {
    const { operation } = this.#prepared.plan.program.nodes[node] ?? { operation: { op: "fill" } }
    const tensor = operation.op === "input" ? this.#inputs[operation.index] : this.#tensorOf.get(node)
    if (tensor === undefined) throw new Error(`a verified plan computes node ${node} before it is read`)
    return tensor
  }

  library({ node }: LibraryCall, scalars: Float64Array): void {
    const { program } = this.#prepared.plan
    const tensor = onBackend("wasm", () =>
      tf.keep(tf.tidy(() => computeNode(program, node, scalars, (id) => this.#valueOf(id))))
    )
    this.#made.push(tensor)
    this.#tensorOf.set(node, tensor)
    this.#address[node] = this.#heap.placementOf(tensor).memoryOffset
  }

  /** The outputs, each under a handle of its own; all else that was made or donated is released. */
  finish(): ReadonlyArray<Tensor> {
    const taken = new Set<Tensor>()
    const outputs = this.#prepared.plan.program.outputs.map((node) => {
      const value = this.#valueOf(node)
      const own = !taken.has(value) && this.#tensorOf.has(node)
      taken.add(value)
      return own ? value : tf.keep(tf.clone(value))
    })
    const kept = new Set(outputs)
    for (const tensor of this.#made) if (!kept.has(tensor)) tensor.dispose()
    for (const tensor of this.#inputs.slice(this.#donatedFrom))
      if (!this.#reused.has(tensor) && !tensor.isDisposed) tensor.dispose()
    this.#free()
    return outputs
  }

  /** Releases what was made; inputs are as they were, because nothing fails after the first kernel has run in place. */
  discard(): void {
    for (const tensor of this.#made) if (!tensor.isDisposed) tensor.dispose()
    this.#free()
  }

  #free(): void {
    if (this.#temporaries !== 0) this.#heap.free(this.#temporaries)
    this.#temporaries = 0
  }
}
