/**
 * Code for a kernel: one WebAssembly function that applies it to any number of tensors.
 *
 *     run(records: i32, count: i32, scalars: i32)
 *
 * A record says where and how far: the extents of the loops, then for each buffer its address and, for each loop but the
 * innermost, how many bytes it moves. Records of one kernel stand one behind the other, so a thousand equal leaves are
 * one call. The innermost loop runs over 16 elements at a time, then 4, then single ones.
 */
import type { BodyNode, Kernel, Operand, Result } from "../plan/kernel.ts"
import { Assembler, type Local } from "./assembler.ts"
import { forms } from "./forms.ts"

const wordBytes = 4

const lanes = 4

const vectorBytes = lanes * wordBytes

/** How many vectors the widest loop takes at once: enough to hide the latency of an addition (4 cycles). */
const widest = 4

/** Bodies longer than this are not repeated in the code: it would cost more to compile than it saves. */
const longBody = 64

/** The words of a record: extents, then an address and outer strides for each buffer. */
export const recordWords = ({ inputs, loops, results }: Kernel): number =>
  loops + (inputs.length + results.length) * loops

/** When a value changes: never, with a loop around the innermost, or with every element. */
type Varies = "never" | "outer" | "inner"

const varies = ({ body, inputs, loops }: Kernel): ReadonlyArray<Varies> => {
  const all: Array<Varies> = []
  const of = ({ _tag, index }: Operand): Varies =>
    _tag === "Scalar"
      ? "never"
      : _tag === "Value"
        ? (all[index] ?? "inner")
        : inputs[index]?.[loops - 1] === true
          ? "inner"
          : "outer"
  for (const { args } of body) {
    const found = new Set(args.map(of))
    all.push(found.has("inner") ? "inner" : found.has("outer") ? "outer" : "never")
  }
  return all
}

const identity = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }

const combine = { sum: "add", max: "maximum", min: "minimum" } as const

/** A value in its two forms; a value that does not change in the innermost loop has both, others one at a time. */
interface Variable {
  readonly single: Local
  readonly vector: Local
}

class Compiler {
  readonly #kernel: Kernel
  readonly #asm = new Assembler(["i32", "i32", "i32"])
  readonly #varies: ReadonlyArray<Varies>
  readonly #pointers: ReadonlyArray<ReadonlyArray<Local>>
  readonly #inputs: ReadonlyArray<Variable>
  readonly #scalars: ReadonlyArray<Variable>
  readonly #values: ReadonlyArray<Variable>
  readonly #sums: ReadonlyMap<Result, { readonly single: Local; readonly vectors: ReadonlyArray<Local> }>
  readonly #rest: Local
  readonly #unroll: number

  constructor(kernel: Kernel) {
    const asm = this.#asm
    const variable = (mask = false): Variable => ({
      single: asm.local(mask ? "i32" : "f32"),
      vector: asm.local("v128")
    })
    this.#kernel = kernel
    this.#varies = varies(kernel)
    this.#unroll = kernel.body.length > longBody ? 1 : widest
    const buffers = [...kernel.inputs, ...kernel.results]
    this.#pointers = Array.from({ length: kernel.loops }, () => buffers.map(() => asm.local("i32")))
    this.#inputs = kernel.inputs.map(() => variable())
    this.#scalars = Array.from({ length: kernel.scalars }, () => variable())
    this.#values = kernel.body.map(({ mask }) => variable(mask))
    this.#rest = asm.local("i32")
    this.#sums = new Map(
      kernel.results
        .filter((result) => this.#gathers(result))
        .map((result) => [
          result,
          { single: asm.local("f32"), vectors: Array.from({ length: this.#unroll }, () => asm.local("v128")) }
        ])
    )
  }

  get #inner(): number {
    return this.#kernel.loops - 1
  }

  /** Is this result gathered in registers while the innermost loop runs? */
  #gathers({ reduce, walk }: Result): boolean {
    return reduce !== undefined && walk[this.#inner] !== true
  }

  #variable({ _tag, index }: Operand): Variable {
    const variables = _tag === "Input" ? this.#inputs : _tag === "Scalar" ? this.#scalars : this.#values
    const variable = variables[index]
    if (variable === undefined) throw new Error(`the kernel has no ${_tag} ${index}`)
    return variable
  }

  #compute(form: "single" | "vector", when: Varies): void {
    this.#kernel.body.forEach(({ args, op }: BodyNode, index) => {
      if (this.#varies[index] !== when) return
      forms[op][form](
        this.#asm,
        args.map((arg) => () => void this.#asm.get(this.#variable(arg)[form]))
      )
      this.#asm.set(this.#variable({ _tag: "Value", index })[form])
    })
  }

  /** The vector form of a value that is known in the single form. */
  #spread({ single, vector }: Variable): void {
    const asm = this.#asm
    if (single.type === "f32") asm.get(single).op("f32x4.splat").set(vector)
    else asm.i32(0).get(single).op("i32.sub").op("i32x4.splat").set(vector)
  }

  /** Values that stay the same for a while: computed once, in both forms. */
  #settle(when: "never" | "outer"): void {
    this.#compute("single", when)
    this.#values.forEach((variable, index) => {
      if (this.#varies[index] === when) this.#spread(variable)
    })
  }

  #loadScalars(): void {
    const [, , scalars] = [0, 1, 2].map((index) => this.#asm.param(index))
    this.#scalars.forEach((variable, index) => {
      if (scalars !== undefined)
        this.#asm
          .get(scalars)
          .loadF32(index * wordBytes)
          .set(variable.single)
      this.#spread(variable)
    })
  }

  /** The offset in the record of a buffer's address, or of its stride in an outer loop. */
  #offset(buffer: number, word: number): number {
    return (this.#kernel.loops + buffer * this.#kernel.loops + word) * wordBytes
  }

  #eachBuffer(visit: (pointer: (loop: number) => Local, walk: ReadonlyArray<boolean>, buffer: number) => void): void {
    const walks = [...this.#kernel.inputs, ...this.#kernel.results.map(({ walk }) => walk)]
    walks.forEach((walk, buffer) => {
      visit((loop) => this.#pointers[loop]?.[buffer] ?? this.#rest, walk, buffer)
    })
  }

  #loop(level: number): void {
    if (level === this.#inner) {
      this.#row()
      return
    }
    const asm = this.#asm
    const records = asm.param(0)
    const left = asm.local("i32")
    asm
      .get(records)
      .loadI32(level * wordBytes)
      .set(left)
    asm.doWhile(
      () => {
        this.#eachBuffer((pointer) => asm.get(pointer(level)).set(pointer(level + 1)))
        this.#loop(level + 1)
        this.#eachBuffer((pointer, walk, buffer) => {
          if (walk[level] !== true) return
          asm
            .get(pointer(level))
            .get(records)
            .loadI32(this.#offset(buffer, 1 + level))
            .op("i32.add")
            .set(pointer(level))
        })
      },
      () => asm.get(left).i32(1).op("i32.sub").tee(left)
    )
  }

  #row(): void {
    const asm = this.#asm
    const inner = this.#inner
    this.#eachBuffer((pointer, walk, buffer) => {
      const variable = this.#inputs[buffer]
      if (variable === undefined || walk[inner] === true) return
      asm.get(pointer(inner)).loadF32(0).set(variable.single)
      this.#spread(variable)
    })
    this.#settle("outer")
    this.#openSums()
    asm
      .get(asm.param(0))
      .loadI32(inner * wordBytes)
      .set(this.#rest)
    if (this.#unroll > 1) this.#strip(this.#unroll)
    this.#strip(1)
    this.#closeVectors()
    this.#tail()
    this.#closeSums()
  }

  /** The innermost loop over `width` vectors at a time, as long as there are so many elements. */
  #strip(width: number): void {
    const asm = this.#asm
    const elements = width * lanes
    const enough = () => asm.get(this.#rest).i32(elements).op("i32.ge_u")
    enough()
    asm.when(() => {
      asm.doWhile(() => {
        for (let part = 0; part < width; part++) this.#vectorStep(part)
        this.#advance(width * vectorBytes)
        asm.get(this.#rest).i32(elements).op("i32.sub").set(this.#rest)
      }, enough)
    })
  }

  #tail(): void {
    const asm = this.#asm
    asm.get(this.#rest)
    asm.when(() => {
      asm.doWhile(
        () => {
          this.#singleStep()
          this.#advance(wordBytes)
        },
        () => asm.get(this.#rest).i32(1).op("i32.sub").tee(this.#rest)
      )
    })
  }

  #advance(bytes: number): void {
    const inner = this.#inner
    this.#eachBuffer((pointer, walk) => {
      if (walk[inner] === true) this.#asm.get(pointer(inner)).i32(bytes).op("i32.add").set(pointer(inner))
    })
  }

  #vectorStep(part: number): void {
    const asm = this.#asm
    const inner = this.#inner
    this.#eachBuffer((pointer, walk, buffer) => {
      const variable = this.#inputs[buffer]
      if (variable !== undefined && walk[inner] === true)
        asm
          .get(pointer(inner))
          .loadV128(part * vectorBytes)
          .set(variable.vector)
    })
    this.#compute("vector", "inner")
    this.#kernel.results.forEach((result, index) => {
      const { vector } = this.#variable(result.value)
      const sum = this.#sums.get(result)?.vectors[part]
      if (sum !== undefined) {
        this.#combine(result, "vector", sum, vector)
        asm.set(sum)
        return
      }
      const pointer = this.#resultPointer(index)
      const found = asm.scratch("v128", 2)
      if (result.reduce !== undefined)
        asm
          .get(pointer)
          .loadV128(part * vectorBytes)
          .set(found)
      asm.get(pointer)
      this.#combine(result, "vector", found, vector)
      asm.storeV128(part * vectorBytes)
    })
  }

  #singleStep(): void {
    const asm = this.#asm
    const inner = this.#inner
    this.#eachBuffer((pointer, walk, buffer) => {
      const variable = this.#inputs[buffer]
      if (variable !== undefined && walk[inner] === true) asm.get(pointer(inner)).loadF32(0).set(variable.single)
    })
    this.#compute("single", "inner")
    this.#kernel.results.forEach((result, index) => {
      const { single } = this.#variable(result.value)
      const sum = this.#sums.get(result)?.single
      if (sum === undefined) {
        this.#store(result, index, single)
        return
      }
      this.#combine(result, "single", sum, single)
      asm.set(sum)
    })
  }

  /** Pushes a value that is stored as it is, or what was gathered together with it. */
  #combine({ reduce }: Result, form: "single" | "vector", gathered: Local, value: Local): void {
    const asm = this.#asm
    if (reduce === undefined) asm.get(value)
    else forms[combine[reduce]][form](asm, [() => void asm.get(gathered), () => void asm.get(value)])
  }

  /** Stores a single value, or combines it with what stands in memory. */
  #store(result: Result, index: number, value: Local): void {
    const asm = this.#asm
    const pointer = this.#resultPointer(index)
    const found = asm.scratch("f32", 0)
    if (result.reduce !== undefined) asm.get(pointer).loadF32(0).set(found)
    asm.get(pointer)
    this.#combine(result, "single", found, value)
    asm.storeF32(0)
  }

  #resultPointer(index: number): Local {
    const pointer = this.#pointers[this.#inner]?.[this.#kernel.inputs.length + index]
    if (pointer === undefined) throw new Error(`the kernel has no result ${index}`)
    return pointer
  }

  #openSums(): void {
    for (const [{ reduce }, { single, vectors }] of this.#sums) {
      const start = identity[reduce ?? "sum"]
      this.#asm.f32(start).set(single)
      for (const vector of vectors) this.#asm.f32(start).op("f32x4.splat").set(vector)
    }
  }

  /** Gathers the lanes of all vectors in the single element. */
  #closeVectors(): void {
    const asm = this.#asm
    for (const [result, { single, vectors }] of this.#sums) {
      const [first, ...others] = vectors
      if (first === undefined) continue
      for (const vector of others) {
        this.#combine(result, "vector", first, vector)
        asm.set(first)
      }
      const lane = asm.scratch("f32", 0)
      asm.get(first).lane(0).set(single)
      for (let index = 1; index < lanes; index++) {
        asm.get(first).lane(index).set(lane)
        this.#combine(result, "single", single, lane)
        asm.set(single)
      }
    }
  }

  /** Combines what was gathered with what stands in memory. */
  #closeSums(): void {
    this.#kernel.results.forEach((result, index) => {
      const sum = this.#sums.get(result)
      if (sum !== undefined) this.#store(result, index, sum.single)
    })
  }

  compile(): Assembler {
    const asm = this.#asm
    const [records, count] = [asm.param(0), asm.param(1)]
    this.#loadScalars()
    this.#settle("never")
    asm.doWhile(
      () => {
        this.#eachBuffer((pointer, _, buffer) => asm.get(records).loadI32(this.#offset(buffer, 0)).set(pointer(0)))
        this.#loop(0)
        asm
          .get(records)
          .i32(recordWords(this.#kernel) * wordBytes)
          .op("i32.add")
          .set(records)
      },
      () => asm.get(count).i32(1).op("i32.sub").tee(count)
    )
    return asm
  }
}

/** The function of a kernel; give it to `moduleBytes`. Callers skip records with an extent of 0. */
export const compile = (kernel: Kernel): Assembler => new Compiler(kernel).compile()
