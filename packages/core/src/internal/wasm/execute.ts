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
import { share } from "../tfjs/share.ts"
import { computeNode } from "../tfjs/interpret.ts"
import type { Heap, Placement } from "../tfjs/wasmModule.ts"
import { Modules } from "./modules.ts"
import { aligned, type Call, type LibraryCall, prepare, type Prepared } from "./prepare.ts"
import { Tally } from "./tally.ts"

/** How many plans keep their block in the heap. */
const capacity = 64

const wordBytes = 4

/** An execution that wrote every output over a donated input. */
interface Settled {
  readonly donatedFrom: number
  readonly outputs: ReadonlyArray<Tensor>
  /** The count of touches at the time: while it stands, nobody has done anything with what was written. */
  touches: number
}

/** A prepared plan in the heap, with what is used in every execution of it. */
class Resident {
  readonly prepared: Prepared
  readonly block: number
  /** Where the numbers of each node lie, and its tensor if it has one, in the current or latest execution. */
  readonly addresses: Uint32Array
  readonly tensors: Array<Tensor | undefined>
  /** The tensors that the current execution has made. */
  readonly made: Array<Tensor> = []
  /** The latest inputs, their data, and where it lay. */
  readonly inputs: Array<Tensor> = []
  readonly dataIds: Array<object> = []
  readonly placements: Array<Placement> = []
  /** For each input, is it a variable of tfjs, which keeps its handle when it gets other data? */
  readonly variable: Uint8Array
  departures = -1
  /** Are the addresses those that stand in the block? */
  isWritten = false
  /** Did an input change since the latest execution? And one of the donated inputs? */
  isMoved = true
  isUnsettled = true
  /** The outputs of the latest execution if all were written over donated inputs: the next one can be as this. */
  settled: Settled | undefined
  /** The addresses of the donated inputs, counted; from which input on; and which of them occur once. */
  readonly tally: Tally
  talliedFrom = -1
  readonly alone: Uint8Array
  /** For each input, is it written in place in the current execution? And does every tensor replace one? */
  readonly reused: Uint8Array
  isInPlace = false

  constructor(prepared: Prepared, block: number) {
    const { inputs, nodes } = prepared.plan.program
    this.prepared = prepared
    this.block = block
    this.addresses = new Uint32Array(nodes.length)
    this.tensors = nodes.map(() => undefined)
    this.variable = new Uint8Array(inputs.length)
    this.tally = new Tally(inputs.length)
    this.alone = new Uint8Array(inputs.length)
    this.reused = new Uint8Array(inputs.length)
  }

  place(node: number, address: number): void {
    if (this.addresses[node] === address) return
    this.addresses[node] = address
    this.isWritten = false
  }

  placeTemporaries(start: number): void {
    for (const { node, offset } of this.prepared.temporaries) this.place(node, start + offset)
  }
}

const isVariable = (tensor: Tensor): boolean => "assign" in tensor

/** The executor of one layer. */
export class Executor {
  readonly modules: Modules
  readonly #heap: Heap
  readonly #residents = new Map<Plan, Resident>()
  #latest: Resident | undefined
  #words = new Int32Array(0)
  #floats = new Float32Array(0)

  constructor(heap: Heap) {
    this.#heap = heap
    this.modules = new Modules(heap.memory)
  }

  /** Executes a plan; a function of its own, to be handed on. */
  readonly execute = ({ donatedFrom, inputs, plan, renewHandles, scalars }: Execution): ReadonlyArray<Tensor> => {
    const resident = this.#resident(plan)
    this.#place(resident, inputs)
    if (!renewHandles && this.#isSteady(resident, donatedFrom)) return this.#repeat(resident, inputs, scalars)
    resident.settled = undefined
    let temporaries = 0
    try {
      this.#allocate(resident, inputs, donatedFrom)
      temporaries = this.#allocateTemporaries(resident)
      this.#run(resident, scalars)
      const outputs = this.#finish(resident, inputs, donatedFrom, renewHandles)
      if (!renewHandles && resident.isInPlace && resident.prepared.isPlain)
        resident.settled = { donatedFrom, outputs, touches: this.#heap.touches() }
      return outputs
    } catch (error) {
      for (const tensor of resident.made) if (!tensor.isDisposed) tensor.dispose()
      throw error
    } finally {
      if (temporaries !== 0) this.#heap.free(temporaries)
      resident.made.length = 0
    }
  }

  #run(resident: Resident, scalars: Float64Array): void {
    this.#refresh()
    if (!resident.isWritten) this.#writeAddresses(resident)
    this.#writeInitials(resident)
    for (const call of resident.prepared.calls) {
      if (call._tag === "Call") this.#call(resident, call, scalars)
      else this.#library(resident, call, scalars)
    }
  }

  /** Is this the latest execution over again, in place, with nothing but other gradients? The steady state of training. */
  #isSteady(resident: Resident, donatedFrom: number): boolean {
    const { isUnsettled, prepared, settled } = resident
    if (settled === undefined || settled.donatedFrom !== donatedFrom || isUnsettled) return false
    if (resident.isMoved && this.#excludeShared(resident, Math.max(donatedFrom, prepared.partnersFrom))) return false
    return settled.touches === this.#heap.touches() || this.#resettle(resident, settled)
  }

  /** Can all be written in place again? What is looked at is renewed, which costs nothing but a name if it cannot. */
  #resettle({ placements, prepared }: Resident, settled: Settled): boolean {
    for (const over of prepared.overs) {
      const placement = placements[over]
      if (placement?.refCount !== 1) return false
      this.#heap.renew(placement)
    }
    settled.touches = this.#heap.touches()
    return true
  }

  #repeat(resident: Resident, inputs: ReadonlyArray<Tensor>, scalars: Float64Array): ReadonlyArray<Tensor> {
    const { prepared, settled } = resident
    this.#run(resident, scalars)
    if (settled === undefined) throw new Error("only a settled execution is repeated")
    for (let index = settled.donatedFrom; index < prepared.partnersFrom; index++) {
      const tensor = inputs[index]
      if (tensor !== undefined && !tensor.isDisposed) tensor.dispose()
    }
    return settled.outputs
  }

  /** Releases the blocks of all plans. */
  close(): void {
    for (const { block } of this.#residents.values()) this.#heap.free(block)
    this.#residents.clear()
    this.#latest = undefined
  }

  /** The memory may have grown, and old views on it died. */
  #refresh(): void {
    const { buffer } = this.#heap.memory
    if (this.#words.buffer === buffer) return
    this.#words = new Int32Array(buffer)
    this.#floats = new Float32Array(buffer)
  }

  #resident(plan: Plan): Resident {
    if (this.#latest?.prepared.plan === plan) return this.#latest
    const resident = this.#residents.get(plan) ?? this.#settle(plan)
    // The latest last, so that the first is the one to go.
    this.#residents.delete(plan)
    this.#residents.set(plan, resident)
    this.#latest = resident
    const [[oldest, evicted] = []] = this.#residents
    if (this.#residents.size > capacity && oldest !== undefined && evicted !== undefined) {
      this.#residents.delete(oldest)
      this.#heap.free(evicted.block)
    }
    return resident
  }

  /** Gives a plan its block. */
  #settle(plan: Plan): Resident {
    const prepared = prepare(plan, this.modules)
    const { keepsTemporaries, temporaryBytes, words } = prepared
    const wordsEnd = aligned(Math.max(1, words.length) * wordBytes)
    const block = this.#heap.allocate(wordsEnd + (keepsTemporaries ? temporaryBytes : 0))
    this.#refresh()
    this.#words.set(words, block / wordBytes)
    const resident = new Resident(prepared, block)
    if (keepsTemporaries) resident.placeTemporaries(block + wordsEnd)
    return resident
  }

  /** Where the inputs lie; what is the same as last time is not looked up again (200 ns). */
  #place(resident: Resident, inputs: ReadonlyArray<Tensor>): void {
    const { dataIds, inputs: latest, prepared, variable } = resident
    const valid = resident.departures === this.#heap.departures()
    // Until all inputs have their place: one that has to come from another backend may find no room.
    resident.departures = -1
    resident.isMoved = false
    resident.isUnsettled = false
    for (let index = 0; index < inputs.length; index++) {
      const tensor = inputs[index]
      if (tensor === undefined) continue
      if (valid && latest[index] === tensor && (variable[index] === 0 || dataIds[index] === tensor.dataId)) continue
      this.#placeInput(resident, index, tensor, valid)
      if (index >= prepared.partnersFrom) resident.isUnsettled = true
    }
    resident.departures = this.#heap.departures()
  }

  #placeInput(resident: Resident, index: number, tensor: Tensor, valid: boolean): void {
    const { dataIds, inputs, placements, prepared, tensors, variable } = resident
    if (!valid || dataIds[index] !== tensor.dataId) placements[index] = this.#heap.placementOf(tensor)
    inputs[index] = tensor
    dataIds[index] = tensor.dataId
    variable[index] = isVariable(tensor) ? 1 : 0
    resident.isMoved = true
    if (index >= resident.talliedFrom) resident.talliedFrom = -1
    const node = prepared.inputNodes[index] ?? -1
    if (node < 0) return
    resident.place(node, placements[index]?.memoryOffset ?? 0)
    tensors[node] = tensor
  }

  /** Counts the addresses of the inputs that may be written over, unless they are those of the last time. */
  #tally(resident: Resident, from: number): void {
    const { alone, placements, tally } = resident
    if (resident.talliedFrom === from) return
    tally.clear()
    for (let index = from; index < placements.length; index++) tally.add(placements[index]?.memoryOffset ?? 0)
    for (let index = from; index < placements.length; index++)
      alone[index] = tally.count(placements[index]?.memoryOffset ?? 0) === 1 ? 1 : 0
    resident.talliedFrom = from
  }

  /** An input whose numbers an input before them shares must not be written over: that one is read, too. Is there one? */
  #excludeShared(resident: Resident, from: number): boolean {
    const { alone, placements, tally } = resident
    let found = false
    for (let index = 0; index < from; index++) {
      const address = placements[index]?.memoryOffset ?? 0
      if (tally.count(address) === 0) continue
      found = true
      for (let other = from; other < placements.length; other++)
        if (placements[other]?.memoryOffset === address) alone[other] = 0
      resident.talliedFrom = -1
    }
    return found
  }

  /** A tensor for every node that is one: a donated input if nobody else sees its numbers, or a new one. */
  #allocate(resident: Resident, inputs: ReadonlyArray<Tensor>, donatedFrom: number): void {
    const { alone, made, placements, prepared, reused, tensors } = resident
    const mayReuse = donatedFrom < inputs.length
    reused.fill(0)
    if (mayReuse) {
      const from = Math.max(donatedFrom, prepared.partnersFrom)
      this.#tally(resident, from)
      this.#excludeShared(resident, from)
    }
    resident.isInPlace = mayReuse
    for (const { node, over, shape } of prepared.tensors) {
      const placement = mayReuse && over >= donatedFrom && alone[over] === 1 ? placements[over] : undefined
      if (placement?.refCount === 1) {
        reused[over] = 1
        this.#heap.renew(placement)
        tensors[node] = inputs[over]
        resident.place(node, placement.memoryOffset)
        continue
      }
      resident.isInPlace = false
      const tensor = this.#heap.makeTensor(shape)
      made.push(tensor)
      tensors[node] = tensor
      resident.place(node, this.#heap.placementOf(tensor).memoryOffset)
    }
  }

  #allocateTemporaries(resident: Resident): number {
    const { keepsTemporaries, temporaryBytes } = resident.prepared
    if (keepsTemporaries) return 0
    const start = this.#heap.allocate(temporaryBytes)
    resident.placeTemporaries(start)
    return start
  }

  #writeAddresses(resident: Resident): void {
    const { addresses, block, prepared } = resident
    const base = block / wordBytes
    const { addressNodes, addressWords } = prepared
    for (let index = 0; index < addressWords.length; index++)
      this.#words[base + (addressWords[index] ?? 0)] = addresses[addressNodes[index] ?? 0] ?? 0
    resident.isWritten = true
  }

  #writeInitials({ addresses, prepared }: Resident): void {
    for (const { node, size, value } of prepared.initials) {
      const start = (addresses[node] ?? 0) / wordBytes
      if (size === 1) this.#floats[start] = value
      else this.#floats.fill(value, start, start + size)
    }
  }

  #call({ block }: Resident, { count, records, run, scalarWords, scalars: ids }: Call, scalars: Float64Array): void {
    const start = block / wordBytes + scalarWords
    for (let index = 0; index < ids.length; index++)
      this.#floats[start + index] = scalars[ids[index] ?? -1] ?? Number.NaN
    run(block + records * wordBytes, count, start * wordBytes)
  }

  #library(resident: Resident, { node }: LibraryCall, scalars: Float64Array): void {
    const { made, prepared, tensors } = resident
    const valueOf = (id: number): Tensor => {
      const value = tensors[id]
      if (value === undefined) throw new Error(`a verified plan computes node ${id} before it is read`)
      return value
    }
    const value = onBackend("wasm", () =>
      tf.keep(tf.tidy(() => computeNode(prepared.plan.program, node, scalars, valueOf)))
    )
    made.push(value)
    tensors[node] = value
    this.#refresh()
    // What tfjs computed lies at an address that is known only now.
    resident.place(node, this.#heap.placementOf(value).memoryOffset)
    if (!resident.isWritten) this.#writeAddresses(resident)
  }

  /** The outputs, each under a handle of its own; what nobody keeps and what was donated is released. */
  #finish(
    { prepared, reused, tensors }: Resident,
    inputs: ReadonlyArray<Tensor>,
    donatedFrom: number,
    renewHandles: boolean
  ): ReadonlyArray<Tensor> {
    const isReused = (input: number): boolean => input >= donatedFrom && reused[input] === 1
    const outputs = prepared.outputs.map(({ node, over, owns }) => {
      const value = tensors[node]
      if (value === undefined) throw new Error(`a verified plan computes its output ${node}`)
      return owns && !(renewHandles && isReused(over)) ? value : tf.keep(share(value))
    })
    for (const node of prepared.dropped) tensors[node]?.dispose()
    for (let index = donatedFrom; index < inputs.length; index++) {
      const tensor = inputs[index]
      if (tensor !== undefined && (renewHandles || reused[index] !== 1) && !tensor.isDisposed) tensor.dispose()
    }
    return outputs
  }
}
