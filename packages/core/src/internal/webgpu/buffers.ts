/**
 * The inside of tfjs' WebGPU backend, as far as we reach into it. The one file that does.
 *
 * tfjs 4.22 keeps what it knows of a tensor in `backend.tensorMap`, and collects its commands in an encoder until it
 * submits them. None of this is documented, so it is looked for; a test names the version.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import { OutOfMemoryDefect } from "../tfjs/allocation.ts"
import { sizeOf } from "../trace/shape.ts"

interface Data {
  readonly refCount: number
  readonly resource?: unknown
  values: unknown
}

interface Backend extends tf.KernelBackend {
  readonly device: GPUDevice
  readonly tensorMap: { readonly get: (dataId: object) => Data }
  readonly commandEncoder: GPUCommandEncoder | null
  readonly ensureCommandEncoderReady: () => void
  readonly endComputePassEncoder: () => void
  readonly submitQueue: () => void
  readonly uploadToGPU: (dataId: object) => void
  readonly makeTensorInfo: (shape: Array<number>, dtype: "float32") => tf.TensorInfo
}

/** The buffers of a backend. */
export interface Buffers {
  readonly device: GPUDevice
  readonly isLost: () => boolean
  /** A new tensor with whatever numbers are there; throws `OutOfMemoryDefect`. */
  readonly make: (shape: ReadonlyArray<number>) => Tensor
  readonly bufferOf: (tensor: Tensor) => GPUBuffer
  /** To be called for data that is written in place: tfjs must not answer with numbers that it has read before. */
  readonly renew: (tensor: Tensor) => void
  readonly handles: (tensor: Tensor) => number
  /** Records a compute pass after all that tfjs has recorded, and submits both. */
  readonly submit: (record: (pass: GPUComputePassEncoder) => void) => void
}

const isFunction = (object: object, ...names: ReadonlyArray<string>): boolean =>
  names.every((name) => hasProperty(object, name) && typeof object[name] === "function")

const isBackend = (backend: unknown): backend is Backend =>
  hasProperty(backend, "device") &&
  backend.device instanceof GPUDevice &&
  hasProperty(backend, "tensorMap") &&
  hasProperty(backend.tensorMap, "get") &&
  hasProperty(backend, "commandEncoder") &&
  isFunction(backend, "ensureCommandEncoderReady", "endComputePassEncoder", "submitQueue") &&
  isFunction(backend, "uploadToGPU", "makeTensorInfo")

const lost = new WeakSet<GPUDevice>()

/** Is the device of this backend gone? */
const isGone = (backend: unknown): boolean => isBackend(backend) && lost.has(backend.device)

/** Takes a backend whose device is lost out of tfjs, so that another can be made. */
export const discardLost = (): void => {
  const { registry } = tf.engine()
  if (isGone(registry["webgpu"])) delete registry["webgpu"]
}

/** The buffers of tfjs' backend, or nothing if it does not look as expected. */
export const findBuffers = (): Buffers | undefined => {
  const backend: unknown = tf.findBackend("webgpu")
  if (!isBackend(backend)) return undefined
  const { device, tensorMap } = backend
  void device.lost.then(() => lost.add(device))
  const engine = tf.engine()
  const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)
  return {
    device,
    isLost: () => lost.has(device),
    make: (shape) => {
      const bytes = 4 * sizeOf(shape)
      if (bytes > largest) throw new OutOfMemoryDefect(bytes)
      const info = backend.makeTensorInfo([...shape], "float32")
      backend.uploadToGPU(info.dataId)
      return engine.keep(engine.makeTensorFromTensorInfo(info, backend))
    },
    bufferOf: ({ dataId }) => {
      const data = tensorMap.get(dataId)
      if (data.resource === undefined || data.resource === null) backend.uploadToGPU(dataId)
      if (!(data.resource instanceof GPUBuffer)) throw new Error("tfjs keeps tensors in buffers")
      return data.resource
    },
    renew: ({ dataId }) => {
      tensorMap.get(dataId).values = null
    },
    handles: ({ dataId }) => tensorMap.get(dataId).refCount,
    submit: (record) => {
      backend.ensureCommandEncoderReady()
      backend.endComputePassEncoder()
      const pass = backend.commandEncoder?.beginComputePass()
      if (pass === undefined) throw new Error("tfjs makes an encoder when it is told to")
      record(pass)
      pass.end()
      backend.submitQueue()
    }
  }
}
