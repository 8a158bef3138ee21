/**
 * The inside of tfjs' WebGL backend, as far as we reach into it. The one file that does.
 *
 * tfjs 4.22 keeps what it knows of a tensor in `backend.texData`, and its context with the vertex shader and the
 * rectangle that it draws in `backend.gpgpu`. None of this is documented, so it is looked for; a test names the version.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { hasProperty } from "effect/Predicate"
import { sizeOf } from "../trace/shape.ts"
import { OutOfMemoryDefect } from "../tfjs/allocation.ts"

/** A program with the arrays that its vertex shader reads. */
interface Program extends WebGLProgram {
  readonly vao: WebGLVertexArrayObject | null
}

interface Data {
  shape: Array<number>
  isPacked?: boolean
  readonly refCount: number
  readonly texture?: { readonly texture: WebGLTexture; readonly texShape: readonly [number, number] } | null
}

interface Backend extends tf.KernelBackend {
  readonly gpgpu: {
    readonly gl: WebGL2RenderingContext
    readonly createProgram: (fragmentShader: WebGLShader) => Program
    readonly buildVao: (program: Program) => void
    readonly deleteProgram: (program: Program) => void
    readonly setProgram: (program: Program | null) => void
    readonly bindVertexArray: (array: WebGLVertexArrayObject | null) => void
  }
  readonly texData: { readonly get: (dataId: object) => Data }
  readonly makeTensorInfo: (shape: Array<number>, dtype: "float32") => tf.TensorInfo
  readonly uploadToGPU: (dataId: object) => void
  readonly packTensor: (tensor: tf.TensorInfo) => tf.TensorInfo
  readonly disposeIntermediateTensorInfo: (tensor: tf.TensorInfo) => void
}

/** How a tensor lies in its texture: rows and columns of its matrices, and how many texels stand in a row of the texture. */
export interface Geometry {
  readonly rows: number
  readonly columns: number
  readonly width: number
  readonly height: number
}

/** A tensor in a texture, in tfjs' packed form. */
export interface Packed extends Geometry {
  readonly texture: WebGLTexture
}

/** The textures of a backend. */
export interface Textures {
  readonly gl: WebGL2RenderingContext
  readonly link: (fragmentShader: WebGLShader) => Program
  readonly unlink: (program: Program) => void
  /** Makes a program the one that draws. */
  readonly use: (program: Program) => void
  /** A new tensor with whatever numbers are there; throws `OutOfMemoryDefect`. */
  readonly make: (shape: ReadonlyArray<number>) => Tensor
  /** The texture of a tensor; one that is not packed, or not on the device, is made so: calls `release` when done. */
  readonly packed: (tensor: tf.TensorInfo) => Packed & { readonly release: (() => void) | undefined }
  readonly handles: (tensor: Tensor) => number
}

export type { Program }

const isFunction = (object: object, ...names: ReadonlyArray<string>): boolean =>
  names.every((name) => hasProperty(object, name) && typeof object[name] === "function")

const isBackend = (backend: unknown): backend is Backend =>
  hasProperty(backend, "gpgpu") &&
  hasProperty(backend.gpgpu, "gl") &&
  backend.gpgpu.gl instanceof WebGL2RenderingContext &&
  isFunction(backend.gpgpu, "createProgram", "buildVao", "deleteProgram", "setProgram", "bindVertexArray") &&
  isFunction(backend, "makeTensorInfo", "uploadToGPU", "packTensor", "disposeIntermediateTensorInfo") &&
  hasProperty(backend, "texData") &&
  hasProperty(backend.texData, "get")

const geometryOf = ({ shape, texture }: Data): Packed => {
  if (texture === undefined || texture === null) throw new Error("tfjs uploads what it is told to upload")
  const [height, width] = texture.texShape
  return { rows: shape.at(-2) ?? 1, columns: shape.at(-1) ?? 1, width, height, texture: texture.texture }
}

/** Takes a backend whose context is lost out of tfjs, with the programs that it has compiled, so that another can be made. */
export const discardLost = (): void => {
  const backend: unknown = tf.engine().registry["webgl"]
  if (!isBackend(backend) || !backend.gpgpu.gl.isContextLost()) return
  // The cache outlives the backend.
  const cache = hasProperty(backend, "binaryCache") ? backend.binaryCache : undefined
  if (typeof cache === "object" && cache !== null)
    for (const key of Object.keys(cache)) Reflect.deleteProperty(cache, key)
  delete tf.engine().registry["webgl"]
}

/** The textures of tfjs' backend, or nothing if it does not look as expected. */
export const findTextures = (): Textures | undefined => {
  const backend: unknown = tf.findBackend("webgl")
  if (!isBackend(backend)) return undefined
  const { gpgpu, texData } = backend
  const { gl } = gpgpu
  const engine = tf.engine()
  const largest = Number(gl.getParameter(gl.MAX_TEXTURE_SIZE))
  const fits = ([height, width]: readonly [number, number]): boolean => Math.max(height, width) <= largest
  return {
    gl,
    link: (fragmentShader) => {
      const program = gpgpu.createProgram(fragmentShader)
      gpgpu.buildVao(program)
      return program
    },
    unlink: (program) => gpgpu.deleteProgram(program),
    use: (program) => {
      gpgpu.setProgram(program)
      gpgpu.bindVertexArray(program.vao)
    },
    make: (shape) => {
      const texels = Math.ceil(sizeOf(shape) / 4)
      if (!fits([Math.sqrt(texels), 1])) throw new OutOfMemoryDefect(4 * sizeOf(shape))
      const info = backend.makeTensorInfo([...shape], "float32")
      texData.get(info.dataId).isPacked = true
      try {
        backend.uploadToGPU(info.dataId)
      } catch {
        backend.disposeIntermediateTensorInfo(info)
        throw new OutOfMemoryDefect(4 * sizeOf(shape))
      }
      return engine.keep(engine.makeTensorFromTensorInfo(info, backend))
    },
    packed: (tensor) => {
      const data = texData.get(tensor.dataId)
      const isUploaded = data.texture !== undefined && data.texture !== null
      if (!isUploaded) {
        data.isPacked = true
        data.shape = [...tensor.shape]
        backend.uploadToGPU(tensor.dataId)
      }
      if (data.isPacked === true) return { ...geometryOf(data), release: undefined }
      const { dataId, dtype, shape } = tensor
      const info = backend.packTensor({ dataId, dtype, shape })
      return {
        ...geometryOf(texData.get(info.dataId)),
        release: () => backend.disposeIntermediateTensorInfo(info)
      }
    },
    handles: ({ dataId }) => texData.get(dataId).refCount
  }
}
