/**
 * An assembler for one function: it keeps track of the operand stack while it emits.
 *
 * A kernel that is put together wrongly fails at the instruction that is wrong, not in the validator of the engine.
 * Loops take and give nothing on the stack, which is all that kernels need.
 */
import { type Instruction, instructions, type Name, type ValueType } from "./instructions.ts"

/** A variable of the function. */
export interface Local {
  readonly index: number
  readonly type: ValueType
}

const typeByte: { readonly [T in ValueType]: number } = { i32: 0x7f, f32: 0x7d, v128: 0x7b }

/** An unsigned number in LEB128. */
export const unsigned = (value: number): Array<number> => {
  const bytes: Array<number> = []
  for (let rest = value >>> 0; ;) {
    const byte = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? byte : byte | 0x80)
    if (rest === 0) return bytes
  }
}

/** A signed 32-bit number in LEB128. */
export const signed = (value: number): Array<number> => {
  const bytes: Array<number> = []
  for (let rest = value | 0; ;) {
    const byte = rest & 0x7f
    rest >>= 7
    const last = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)
    bytes.push(last ? byte : byte | 0x80)
    if (last) return bytes
  }
}

const floatBytes = (value: number): ReadonlyArray<number> => [...new Uint8Array(Float32Array.of(value).buffer)]

/** The body of a function under construction. */
export class Assembler {
  readonly params: ReadonlyArray<ValueType>
  readonly #locals: Array<ValueType> = []
  readonly #scratch = new Map<string, Local>()
  readonly #code: Array<number> = []
  readonly #text: Array<string> = []
  readonly #stack: Array<ValueType> = []
  /** Where the stack of the innermost block begins: what lies below is out of its reach. */
  #floor = 0
  #depth = 0

  constructor(params: ReadonlyArray<ValueType>) {
    this.params = params
  }

  param(index: number): Local {
    const type = this.params[index]
    if (type === undefined) throw new Error(`no parameter ${index}`)
    return { index, type }
  }

  local(type: ValueType): Local {
    return { index: this.params.length + this.#locals.push(type) - 1, type }
  }

  /** A variable for use within one operation: the same one whenever it is asked for. */
  scratch(type: ValueType, index: number): Local {
    const name = `${type} ${index}`
    const local = this.#scratch.get(name) ?? this.local(type)
    this.#scratch.set(name, local)
    return local
  }

  #take(text: string, type: ValueType): void {
    const found = this.#stack.length > this.#floor ? this.#stack.pop() : undefined
    if (found !== type) throw new Error(`${text}: expected ${type} on the stack, found ${found ?? "nothing"}`)
  }

  #emit(text: string, { bytes, gives, takes }: Instruction): this {
    for (const type of takes.toReversed()) this.#take(text, type)
    this.#stack.push(...gives)
    this.#code.push(...bytes)
    this.#text.push(`${"  ".repeat(this.#depth)}${text}`)
    return this
  }

  op(name: Name): this {
    return this.#emit(name, instructions[name])
  }

  get({ index, type }: Local): this {
    return this.#emit(`local.get ${index}`, { bytes: [0x20, ...unsigned(index)], takes: [], gives: [type] })
  }

  set({ index, type }: Local): this {
    return this.#emit(`local.set ${index}`, { bytes: [0x21, ...unsigned(index)], takes: [type], gives: [] })
  }

  tee({ index, type }: Local): this {
    return this.#emit(`local.tee ${index}`, { bytes: [0x22, ...unsigned(index)], takes: [type], gives: [type] })
  }

  i32(value: number): this {
    return this.#emit(`i32.const ${value}`, { bytes: [0x41, ...signed(value)], takes: [], gives: ["i32"] })
  }

  f32(value: number): this {
    return this.#emit(`f32.const ${value}`, { bytes: [0x43, ...floatBytes(value)], takes: [], gives: ["f32"] })
  }

  /** `a` if the condition holds, else `b`, both of one type. */
  select(type: "i32" | "f32"): this {
    return this.#emit("select", { bytes: [0x1b], takes: [type, type, "i32"], gives: [type] })
  }

  lane(index: number): this {
    return this.#emit(`f32x4.extract_lane ${index}`, { bytes: [0xfd, 0x1f, index], takes: ["v128"], gives: ["f32"] })
  }

  #memory(
    text: string,
    opcode: ReadonlyArray<number>,
    offset: number,
    takes: ReadonlyArray<ValueType>,
    gives: ReadonlyArray<ValueType>
  ): this {
    // An alignment of 4 bytes is promised: that of every tensor and every element.
    return this.#emit(`${text} offset=${offset}`, { bytes: [...opcode, 2, ...unsigned(offset)], takes, gives })
  }

  loadI32(offset: number): this {
    return this.#memory("i32.load", [0x28], offset, ["i32"], ["i32"])
  }

  loadF32(offset: number): this {
    return this.#memory("f32.load", [0x2a], offset, ["i32"], ["f32"])
  }

  storeF32(offset: number): this {
    return this.#memory("f32.store", [0x38], offset, ["i32", "f32"], [])
  }

  loadV128(offset: number): this {
    return this.#memory("v128.load", [0xfd, 0x00], offset, ["i32"], ["v128"])
  }

  storeV128(offset: number): this {
    return this.#memory("v128.store", [0xfd, 0x0b], offset, ["i32", "v128"], [])
  }

  #block(text: string, opcode: number, body: () => void): this {
    this.#emit(text, { bytes: [opcode, 0x40], takes: [], gives: [] })
    const outer = this.#floor
    this.#floor = this.#stack.length
    this.#depth++
    body()
    this.#depth--
    const left = this.#stack.length - this.#floor
    if (left > 0) throw new Error(`${text}: the body leaves ${left} values`)
    this.#floor = outer
    return this.#emit("end", { bytes: [0x0b], takes: [], gives: [] })
  }

  /** Repeats the body while it leaves `condition` true; runs it at least once. */
  doWhile(body: () => void, condition: () => void): this {
    return this.#block("loop", 0x03, () => {
      body()
      condition()
      this.#emit("br_if 0", { bytes: [0x0d, 0], takes: ["i32"], gives: [] })
    })
  }

  /** Runs the body if the i32 on the stack is not 0. */
  when(body: () => void): this {
    this.#take("if", "i32")
    return this.#block("if", 0x04, body)
  }

  /** The function's code section entry: locals, body, end. */
  finish(): ReadonlyArray<number> {
    if (this.#stack.length > 0) throw new Error(`the function leaves ${this.#stack.length} values on the stack`)
    const locals = this.#locals.flatMap((type) => [1, typeByte[type]])
    const body = [...unsigned(this.#locals.length), ...locals, ...this.#code, 0x0b]
    return [...unsigned(body.length), ...body]
  }

  /** The function as text, for reading. */
  print(): string {
    return this.#text.join("\n")
  }
}

const section = (id: number, content: ReadonlyArray<number>): ReadonlyArray<number> => [
  id,
  ...unsigned(content.length),
  ...content
]

const name = (text: string): ReadonlyArray<number> => [...unsigned(text.length), ...new TextEncoder().encode(text)]

const maximumPages = 65536

/** "\0asm", version 1. */
const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** A module of one exported function `run`, which works in the memory that it imports as `env.memory`. */
export const moduleBytes = (assembler: Assembler, shared: boolean): Uint8Array<ArrayBuffer> => {
  const type = [0x60, ...unsigned(assembler.params.length), ...assembler.params.map((param) => typeByte[param]), 0]
  const limits = shared ? [3, 0, ...unsigned(maximumPages)] : [0, 0]
  return Uint8Array.from([
    ...header,
    ...section(1, [1, ...type]),
    ...section(2, [1, ...name("env"), ...name("memory"), 2, ...limits]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("run"), 0, 0]),
    ...section(10, [1, ...assembler.finish()])
  ])
}
