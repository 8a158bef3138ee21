/**
 * Passes on tfjs' WebGL backend.
 *
 * A pass is one rectangle drawn into up to four textures at once. All tensors are taken in tfjs' packed form, four
 * elements to a texel; whatever comes in another form is packed first, by a pass of tfjs.
 */
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Application, Device } from "../gpu/execute.ts"
import type { Pass } from "../gpu/lower.ts"
import { sizeOf } from "../trace/shape.ts"
import { type Mode, keyOf, print, type Variant } from "./shader.ts"
import type { Geometry, Packed, Program, Textures } from "./textures.ts"

/** What was done on the device since the layer was made. */
export interface Counts {
  /** Rectangles drawn. */
  passes: number
  /** Tensors packed before a pass could read them. */
  conversions: number
  bytesRead: number
  bytesWritten: number
}

const capacity = 512

const texelBytes = 16

/** A linked shader with the places of its uniforms. */
interface Shader {
  readonly program: Program
  readonly at: (name: string) => WebGLUniformLocation | null
}

const texelsOf = ({ columns, rows }: Geometry, size: number): number =>
  (size / (rows * columns)) * Math.ceil(rows / 2) * Math.ceil(columns / 2)

const sameGrid = (a: Geometry, b: Geometry): boolean => a.rows === b.rows && a.columns === b.columns

const isSingle = (strides: ReadonlyArray<number>): boolean => strides.every((stride) => stride === 0)

/** Does an input move element by element with loops of these extents? */
const isWhole = (strides: ReadonlyArray<number>, extents: ReadonlyArray<number>): boolean => {
  let stride = 1
  return extents.toReversed().every((extent, index) => {
    const own = stride
    stride *= extent
    return extent === 1 || strides.at(-1 - index) === own
  })
}

/** How many numbers a reduction folds at a time: about the square root, so that a second pass finishes. */
const chunkOf = (total: number): number => Math.min(2048, Math.max(64, 2 ** Math.ceil(Math.log2(total) / 2)))

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

/** The device of a backend. */
export class WebGLDevice implements Device {
  readonly counts: Counts = { passes: 0, conversions: 0, bytesRead: 0, bytesWritten: 0 }
  readonly inPlace = false
  readonly limits: Device["limits"]
  readonly #textures: Textures
  readonly #framebuffer: WebGLFramebuffer
  readonly #shaders = new Map<string, Shader>()

  constructor(textures: Textures) {
    const { gl } = textures
    this.#textures = textures
    this.#framebuffer = gl.createFramebuffer()
    const inputs = Math.min(16, Number(gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS)))
    const results = Math.min(4, Number(gl.getParameter(gl.MAX_DRAW_BUFFERS)))
    this.limits = { inputs, results, tensors: inputs + results }
  }

  make(shape: ReadonlyArray<number>): Tensor {
    return this.#textures.make(shape)
  }

  handles(tensor: Tensor): number {
    return this.#textures.handles(tensor)
  }

  run(applications: ReadonlyArray<Application>, scalars: Float64Array): void {
    for (const application of applications) this.#apply(application, scalars)
  }

  close(): void {
    for (const { program } of this.#shaders.values()) this.#textures.unlink(program)
    this.#shaders.clear()
    this.#textures.gl.deleteFramebuffer(this.#framebuffer)
  }

  #apply({ inputs, pass, results }: Application, scalars: Float64Array): void {
    const sources = inputs.map((input) => this.#textures.packed(input))
    const targets = results.map((result) => this.#textures.packed(result))
    try {
      if (pass.reduce === undefined) this.#store(pass, sources, targets, scalars)
      else this.#reduce(pass, sources, results, targets, scalars)
    } finally {
      for (const { release } of sources) {
        if (release === undefined) continue
        this.counts.conversions++
        release()
      }
    }
  }

  #store(pass: Pass, sources: ReadonlyArray<Packed>, targets: ReadonlyArray<Packed>, scalars: Float64Array): void {
    const [target] = targets
    if (target === undefined) throw new Error("a pass has a result")
    const modes = pass.inputs.map(({ strides }, index): Mode => {
      const source = sources[index]
      if (isSingle(strides)) return "single"
      if (source === undefined || !sameGrid(source, target) || !isWhole(strides, pass.extents)) return "element"
      return source.width === target.width ? "place" : "texel"
    })
    const isFull = target.rows % 2 === 0 && target.columns % 2 === 0
    const variant = { pass, modes, foldsTexels: false, isFull }
    const size = sizeOf(pass.extents)
    this.#draw(variant, sources, targets, size, scalars, texelsOf(target, size))
  }

  #reduce(
    pass: Pass,
    sources: ReadonlyArray<Packed>,
    results: ReadonlyArray<Tensor>,
    targets: ReadonlyArray<Packed>,
    scalars: Float64Array
  ): void {
    const kept = sizeOf(pass.extents.slice(0, pass.kept))
    const folded = sizeOf(pass.extents.slice(pass.kept))
    const wholes = pass.inputs.flatMap(({ strides }, index) => (isSingle(strides) ? [] : [index]))
    const grid = sources[wholes[0] ?? -1]
    const foldsTexels =
      kept === 1 &&
      grid !== undefined &&
      wholes.every((index) => {
        const source = sources[index]
        return (
          source !== undefined && sameGrid(source, grid) && isWhole(pass.inputs[index]?.strides ?? [], pass.extents)
        )
      })
    const modes = pass.inputs.map(({ strides }): Mode =>
      isSingle(strides) ? "single" : foldsTexels ? "texel" : "element"
    )
    const variant = { pass, modes, foldsTexels, isFull: false }
    const total = foldsTexels && grid !== undefined ? texelsOf(grid, folded) : folded
    const chunk = chunkOf(total)
    const chunks = Math.ceil(total / chunk)
    const fold = (targets: ReadonlyArray<Packed>): void =>
      this.#draw(variant, sources, targets, kept * chunks, scalars, total * kept, { chunk, chunks, total })
    if (chunks === 1) return fold(targets)
    const partial = this.#textures.make([kept, chunks])
    try {
      const packed = this.#textures.packed(partial)
      fold([packed])
      this.#reduce(finish(pass.reduce, kept, chunks), [packed], results, targets, scalars)
    } finally {
      partial.dispose()
    }
  }

  #shader(variant: Variant): Shader {
    const key = keyOf(variant)
    const shader = this.#shaders.get(key) ?? this.#link(variant)
    this.#shaders.delete(key)
    this.#shaders.set(key, shader)
    const [[oldest, evicted] = []] = this.#shaders
    if (this.#shaders.size > capacity && oldest !== undefined && evicted !== undefined) {
      this.#shaders.delete(oldest)
      this.#textures.unlink(evicted.program)
    }
    return shader
  }

  #link(variant: Variant): Shader {
    const { gl, link } = this.#textures
    const fragment = gl.createShader(gl.FRAGMENT_SHADER)
    if (fragment === null) throw new Error("the WebGL context is lost")
    gl.shaderSource(fragment, print(variant))
    gl.compileShader(fragment)
    if (gl.getShaderParameter(fragment, gl.COMPILE_STATUS) !== true && !gl.isContextLost())
      throw new Error(`a shader does not compile: ${gl.getShaderInfoLog(fragment)}\n${print(variant)}`)
    const program = link(fragment)
    gl.deleteShader(fragment)
    const locations = new Map<string, WebGLUniformLocation | null>()
    const at = (name: string): WebGLUniformLocation | null => {
      const known = locations.get(name)
      if (known !== undefined) return known
      const found = gl.getUniformLocation(program, name)
      locations.set(name, found)
      return found
    }
    return { program, at }
  }

  #target(targets: ReadonlyArray<Packed>): void {
    const { gl } = this.#textures
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    for (let index = 0; index < this.limits.results; index++)
      gl.framebufferTexture2D(
        gl.FRAMEBUFFER,
        gl.COLOR_ATTACHMENT0 + index,
        gl.TEXTURE_2D,
        targets[index]?.texture ?? null,
        0
      )
    gl.drawBuffers(targets.map((_, index) => gl.COLOR_ATTACHMENT0 + index))
    const { height, width } = targets[0] ?? { height: 0, width: 0 }
    gl.viewport(0, 0, width, height)
    gl.scissor(0, 0, width, height)
  }

  #draw(
    variant: Variant,
    sources: ReadonlyArray<Packed>,
    targets: ReadonlyArray<Packed>,
    size: number,
    scalars: Float64Array,
    texels: number,
    folding?: { readonly chunk: number; readonly chunks: number; readonly total: number }
  ): void {
    const { gl, use } = this.#textures
    const { modes, pass } = variant
    const { at, program } = this.#shader(variant)
    this.#target(targets)
    use(program)
    sources.forEach(({ columns, rows, texture, width }, index) => {
      gl.activeTexture(gl.TEXTURE0 + index)
      gl.bindTexture(gl.TEXTURE_2D, texture)
      gl.uniform1i(at(`t${index}`), index)
      gl.uniform3i(at(`g${index}`), rows, columns, width)
    })
    const { columns, rows, width } = targets[0] ?? { columns: 1, rows: 1, width: 1 }
    gl.uniform3i(at("og"), rows, columns, width)
    gl.uniform1i(at("size"), size)
    if (pass.scalars.length > 0) {
      const values = new Float32Array(4 * Math.ceil(pass.scalars.length / 4))
      pass.scalars.forEach((id, index) => (values[index] = scalars[id] ?? Number.NaN))
      gl.uniform4fv(at("scalars"), values)
    }
    if (modes.includes("element")) {
      gl.uniform1iv(at("extents"), pass.extents)
      gl.uniform1iv(
        at("strides"),
        pass.inputs.flatMap(({ strides }) => strides)
      )
    }
    if (folding !== undefined) {
      gl.uniform1i(at("chunk"), folding.chunk)
      gl.uniform1i(at("chunks"), folding.chunks)
      gl.uniform1i(at("total"), folding.total)
    }
    gl.drawElements(gl.TRIANGLES, 6, gl.UNSIGNED_SHORT, 0)
    const { counts } = this
    counts.passes++
    counts.bytesRead += modes.filter((mode) => mode !== "single").length * texels * texelBytes
    counts.bytesWritten += targets.length * (folding === undefined ? texels : Math.ceil(size / 4)) * texelBytes
  }
}
