/**
 * Passes on tfjs' WebGPU backend.
 *
 * Passes that follow each other, are equal, and do not read each other's results run for several leaves in one dispatch,
 * as many as their buffers fit into one shader's bindings. A whole execution is one submission with one upload of
 * parameters.
 */
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Application, Device } from "../gpu/execute.ts"
import type { Pass } from "../gpu/lower.ts"
import { sizeOf } from "../trace/shape.ts"
import type { Buffers } from "./buffers.ts"
import { bindingsOf, keyOf, type Mode, print, threads, type Variant, wordsOf, wordsStart } from "./shader.ts"

/** What was done on the device since the layer was made. */
export interface Counts {
  dispatches: number
  submissions: number
  bytesRead: number
  bytesWritten: number
}

const capacity = 512

/** Leaves of more elements have a dispatch of their own, which keeps a device busy. */
const smallLeaf = 2 ** 14

/** Parameters of a dispatch start at a multiple of this. */
const alignment = 256

const isSingle = (strides: ReadonlyArray<number>): boolean => strides.every((stride) => stride === 0)

const isWhole = (strides: ReadonlyArray<number>, extents: ReadonlyArray<number>): boolean => {
  let stride = 1
  return extents.toReversed().every((extent, index) => {
    const own = stride
    stride *= extent
    return extent === 1 || strides.at(-1 - index) === own
  })
}

const modesOf = ({ extents, inputs }: Pass): ReadonlyArray<Mode> =>
  inputs.map(({ strides }) => (isSingle(strides) ? "single" : isWhole(strides, extents) ? "whole" : "strided"))

/** A reduction in stretches: how long they are, and how many for each result. */
interface Folding {
  readonly chunk: number
  readonly chunks: number
  readonly total: number
}

const foldingOf = ({ extents, kept }: Pass): Folding => {
  const total = sizeOf(extents.slice(kept))
  const chunk = Math.max(1024, threads * Math.ceil(total / (256 * threads)))
  return { chunk, chunks: Math.ceil(total / chunk), total }
}

const whole = (folding: Folding): Folding => ({ ...folding, chunk: folding.total, chunks: 1 })

const finish = (reduce: Pass["reduce"], results: number, chunks: number): Pass => ({
  key: `finish ${reduce}`,
  extents: [results, chunks],
  kept: 1,
  inputs: [{ node: 0, strides: [chunks, 1] }],
  scalars: [],
  body: [],
  results: [{ slot: 0, value: { _tag: "Input", index: 0 } }],
  reduce
})

const neutral = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }

/** One leaf of a dispatch. */
interface Leaf extends Application {
  readonly folding: Folding
}

/** Leaves that one dispatch does. */
interface Batch {
  readonly pass: Pass
  readonly modes: ReadonlyArray<Mode>
  readonly over: ReadonlyArray<number>
  readonly leaves: Array<Leaf>
  readonly read: Set<object>
  readonly written: Set<object>
}

/** A batch with its tensors bound to its shader. */
interface Bound {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
}

const overOf = ({ inputs, results }: Application): ReadonlyArray<number> =>
  inputs.map((input) => results.indexOf(input))

const sizeOfResult = ({ extents, kept }: Pass): number => sizeOf(extents.slice(0, kept))

/** The device of a backend. */
export class WebGPUDevice implements Device {
  readonly counts: Counts = { dispatches: 0, submissions: 0, bytesRead: 0, bytesWritten: 0 }
  readonly inPlace = true
  readonly limits: Device["limits"]
  readonly #buffers: Buffers
  readonly #pipelines = new Map<string, GPUComputePipeline>()
  #parameters: GPUBuffer | undefined

  constructor(buffers: Buffers) {
    this.#buffers = buffers
    const tensors = buffers.device.limits.maxStorageBuffersPerShaderStage
    this.limits = { inputs: tensors - 1, results: tensors - 1, tensors }
  }

  make(shape: ReadonlyArray<number>): Tensor {
    return this.#buffers.make(shape)
  }

  handles(tensor: Tensor): number {
    return this.#buffers.handles(tensor)
  }

  close(): void {
    this.#parameters?.destroy()
    this.#pipelines.clear()
  }

  run(applications: ReadonlyArray<Application>, scalars: Float64Array): void {
    if (applications.length === 0) return
    const partials: Array<Tensor> = []
    try {
      const batches = this.#batches(applications.flatMap((application) => this.#stages(application, partials)))
      this.#submit(batches, scalars)
    } finally {
      for (const partial of partials) partial.dispose()
    }
  }

  /** A reduction of many numbers in two stages, everything else in one. */
  #stages(application: Application, partials: Array<Tensor>): ReadonlyArray<Leaf> {
    const { pass, results } = application
    const folding = foldingOf(pass)
    if (pass.reduce === undefined) return [{ ...application, folding }]
    if (folding.chunks === 1) return [{ ...application, folding: whole(folding) }]
    const kept = sizeOfResult(pass)
    const partial = this.#buffers.make([kept, folding.chunks])
    partials.push(partial)
    const last = finish(pass.reduce, kept, folding.chunks)
    return [
      { ...application, results: [partial], folding },
      { pass: last, inputs: [partial], results, folding: whole(foldingOf(last)) }
    ]
  }

  #batches(leaves: ReadonlyArray<Leaf>): ReadonlyArray<Batch> {
    const batches: Array<Batch> = []
    for (const leaf of leaves) {
      const last = batches.at(-1)
      const batch = last !== undefined && this.#joins(leaf, last) ? last : startOf(leaf)
      if (batch !== last) batches.push(batch)
      batch.leaves.push(leaf)
      for (const { dataId } of leaf.inputs) batch.read.add(dataId)
      for (const { dataId } of leaf.results) batch.written.add(dataId)
    }
    return batches
  }

  /** Can a leaf be done in the same dispatch: by the same shader, with nothing written that another reads? */
  #joins(leaf: Leaf, { leaves, modes, over, pass, read, written }: Batch): boolean {
    return (
      leaf.pass.key === pass.key &&
      sizeOf(leaf.pass.extents) <= smallLeaf &&
      leaf.pass.scalars.join() === pass.scalars.join() &&
      modesOf(leaf.pass).join() === modes.join() &&
      overOf(leaf).join() === over.join() &&
      (leaves.length + 1) * bindingsOf({ over, pass }).length <= this.limits.tensors &&
      leaf.inputs.every(({ dataId }) => !written.has(dataId)) &&
      leaf.results.every(({ dataId }) => !read.has(dataId) && !written.has(dataId))
    )
  }

  #pipeline(variant: Variant): GPUComputePipeline {
    const key = keyOf(variant)
    const { device } = this.#buffers
    const compile = () =>
      device.createComputePipeline({
        layout: "auto",
        compute: { module: device.createShaderModule({ code: print(variant) }), entryPoint: "main" }
      })
    const pipeline = this.#pipelines.get(key) ?? compile()
    this.#pipelines.delete(key)
    this.#pipelines.set(key, pipeline)
    const [oldest] = this.#pipelines.keys()
    if (this.#pipelines.size > capacity && oldest !== undefined) this.#pipelines.delete(oldest)
    return pipeline
  }

  #parameterBuffer(size: number): GPUBuffer {
    const known = this.#parameters
    if (known !== undefined && known.size >= size) return known
    known?.destroy()
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
    const made = this.#buffers.device.createBuffer({ size: 2 ** Math.ceil(Math.log2(size)), usage })
    this.#parameters = made
    return made
  }

  #submit(batches: ReadonlyArray<Batch>, scalars: Float64Array): void {
    const { device, submit } = this.#buffers
    const { bytes, starts } = parametersOf(batches, scalars)
    const parameters = this.#parameterBuffer(bytes.byteLength)
    device.queue.writeBuffer(parameters, 0, bytes)
    // Bound before the pass is open: tfjs may have to upload, which it does by commands of its own.
    const bound = batches.map((batch, index) => {
      const start = starts[index] ?? 0
      const size = (starts[index + 1] ?? bytes.byteLength) - start
      return this.#bind(batch, { buffer: parameters, offset: start, size })
    })
    submit((encoder) => batches.forEach((batch, index) => this.#dispatch(encoder, batch, bound[index])))
    this.counts.submissions++
  }

  #bind(batch: Batch, parameters: GPUBufferBinding): Bound {
    const pipeline = this.#pipeline({ ...batch, leaves: batch.leaves.length })
    const bindings = bindingsOf(batch)
    const buffers = batch.leaves.flatMap((leaf) =>
      bindings.map(({ _tag, index }) => this.#bufferOf((_tag === "Input" ? leaf.inputs : leaf.results)[index]))
    )
    const entries = [parameters, ...buffers].map((resource, binding) => ({ binding, resource }))
    const layout = pipeline.getBindGroupLayout(0)
    return { pipeline, group: this.#buffers.device.createBindGroup({ layout, entries }) }
  }

  #bufferOf(tensor: Tensor | undefined): GPUBufferBinding {
    if (tensor === undefined) throw new Error("a leaf has all its tensors")
    return { buffer: this.#buffers.bufferOf(tensor) }
  }

  #dispatch(encoder: GPUComputePassEncoder, { leaves, modes }: Batch, bound: Bound | undefined): void {
    if (bound === undefined) throw new Error("what is dispatched is bound before")
    encoder.setPipeline(bound.pipeline)
    encoder.setBindGroup(0, bound.group)
    const groups = Math.max(...leaves.map(groupsOf))
    const columns = Math.min(groups, this.#buffers.device.limits.maxComputeWorkgroupsPerDimension)
    encoder.dispatchWorkgroups(columns, leaves.length, Math.ceil(groups / columns))
    for (const leaf of leaves) {
      for (const result of leaf.results) this.#buffers.renew(result)
      this.#count(leaf, modes)
    }
    this.counts.dispatches++
  }

  #count({ inputs, results }: Leaf, modes: ReadonlyArray<Mode>): void {
    inputs.forEach(({ size }, index) => {
      if (modes[index] !== "single") this.counts.bytesRead += 4 * size
    })
    for (const { size } of results) this.counts.bytesWritten += 4 * size
  }
}

const startOf = (leaf: Leaf): Batch => ({
  pass: leaf.pass,
  modes: modesOf(leaf.pass),
  over: overOf(leaf),
  leaves: [],
  read: new Set(),
  written: new Set()
})

/** How many workgroups a leaf needs. */
const groupsOf = ({ folding, pass }: Leaf): number => {
  const size = sizeOfResult(pass)
  return pass.reduce === undefined ? Math.ceil(size / threads) : size * folding.chunks
}

/** The parameters of all dispatches in one piece of memory, and where each starts. */
const parametersOf = (
  batches: ReadonlyArray<Batch>,
  scalars: Float64Array
): { readonly bytes: ArrayBuffer; readonly starts: ReadonlyArray<number> } => {
  const starts: Array<number> = []
  let end = 0
  for (const { leaves, pass } of batches) {
    starts.push(end)
    end +=
      alignment * Math.ceil((4 * (wordsStart(pass) + 4 * Math.ceil((leaves.length * wordsOf(pass)) / 4))) / alignment)
  }
  const bytes = new ArrayBuffer(end)
  const floats = new Float32Array(bytes)
  const words = new Uint32Array(bytes)
  batches.forEach(({ leaves, pass }, index) => {
    const start = (starts[index] ?? 0) / 4
    pass.scalars.forEach((id, position) => (floats[start + position] = scalars[id] ?? Number.NaN))
    let at = start + wordsStart(pass)
    for (const { folding, pass } of leaves) {
      words.set([sizeOfResult(pass), folding.chunk, folding.chunks, folding.total], at)
      floats[at + 4] = neutral[pass.reduce ?? "sum"]
      words.set([...pass.extents, ...pass.inputs.flatMap(({ strides }) => strides)], at + 5)
      at += wordsOf(pass)
    }
  })
  return { bytes, starts }
}
