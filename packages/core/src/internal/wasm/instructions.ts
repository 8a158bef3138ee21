/**
 * The WebAssembly instructions that kernels use: one line each, with their types.
 *
 * A table of our own, because all that kernels need is these few dozen instructions, and a toolkit for the whole language
 * weighs megabytes in a browser's bundle. Opcodes: WebAssembly Core Specification 2.0, section 5.4.
 */

/** The types of values on the operand stack. */
export type ValueType = "i32" | "f32" | "v128"

/** How an instruction is encoded, and what it takes from the stack and leaves there. */
export interface Instruction {
  readonly bytes: ReadonlyArray<number>
  readonly takes: ReadonlyArray<ValueType>
  readonly gives: ReadonlyArray<ValueType>
}

const plain = (opcode: number, takes: ReadonlyArray<ValueType>, gives: ReadonlyArray<ValueType>): Instruction => ({
  bytes: [opcode],
  takes,
  gives
})

/** Vector opcodes are unsigned LEB128 numbers behind a prefix. */
const vector = (opcode: number, takes: ReadonlyArray<ValueType>, gives: ReadonlyArray<ValueType>): Instruction => ({
  bytes: opcode < 0x80 ? [0xfd, opcode] : [0xfd, (opcode & 0x7f) | 0x80, opcode >> 7],
  takes,
  gives
})

const i32Binary = (opcode: number) => plain(opcode, ["i32", "i32"], ["i32"])
const f32Unary = (opcode: number) => plain(opcode, ["f32"], ["f32"])
const f32Binary = (opcode: number) => plain(opcode, ["f32", "f32"], ["f32"])
const f32Compare = (opcode: number) => plain(opcode, ["f32", "f32"], ["i32"])
const vectorUnary = (opcode: number) => vector(opcode, ["v128"], ["v128"])
const vectorBinary = (opcode: number) => vector(opcode, ["v128", "v128"], ["v128"])

/** All instructions without immediates. */
export const instructions = {
  "i32.eqz": plain(0x45, ["i32"], ["i32"]),
  "i32.eq": i32Binary(0x46),
  "i32.ne": i32Binary(0x47),
  "i32.lt_s": i32Binary(0x48),
  "i32.lt_u": i32Binary(0x49),
  "i32.gt_s": i32Binary(0x4a),
  "i32.le_s": i32Binary(0x4c),
  "i32.ge_s": i32Binary(0x4e),
  "i32.ge_u": i32Binary(0x4f),
  "i32.add": i32Binary(0x6a),
  "i32.sub": i32Binary(0x6b),
  "i32.mul": i32Binary(0x6c),
  "i32.and": i32Binary(0x71),
  "i32.or": i32Binary(0x72),
  "i32.shl": i32Binary(0x74),
  "f32.eq": f32Compare(0x5b),
  "f32.ne": f32Compare(0x5c),
  "f32.lt": f32Compare(0x5d),
  "f32.gt": f32Compare(0x5e),
  "f32.le": f32Compare(0x5f),
  "f32.ge": f32Compare(0x60),
  "f32.abs": f32Unary(0x8b),
  "f32.neg": f32Unary(0x8c),
  "f32.floor": f32Unary(0x8e),
  "f32.sqrt": f32Unary(0x91),
  "f32.add": f32Binary(0x92),
  "f32.sub": f32Binary(0x93),
  "f32.mul": f32Binary(0x94),
  "f32.div": f32Binary(0x95),
  "f32.min": f32Binary(0x96),
  "f32.max": f32Binary(0x97),
  "f32.convert_i32_s": plain(0xb2, ["i32"], ["f32"]),
  "i32x4.splat": vector(0x11, ["i32"], ["v128"]),
  "f32x4.splat": vector(0x13, ["f32"], ["v128"]),
  "f32x4.eq": vectorBinary(0x41),
  "f32x4.ne": vectorBinary(0x42),
  "f32x4.lt": vectorBinary(0x43),
  "f32x4.gt": vectorBinary(0x44),
  "f32x4.le": vectorBinary(0x45),
  "f32x4.ge": vectorBinary(0x46),
  "v128.not": vectorUnary(0x4d),
  "v128.and": vectorBinary(0x4e),
  "v128.or": vectorBinary(0x50),
  "v128.xor": vectorBinary(0x51),
  "v128.bitselect": vector(0x52, ["v128", "v128", "v128"], ["v128"]),
  "f32x4.floor": vectorUnary(0x68),
  "f32x4.abs": vectorUnary(0xe0),
  "f32x4.neg": vectorUnary(0xe1),
  "f32x4.sqrt": vectorUnary(0xe3),
  "f32x4.add": vectorBinary(0xe4),
  "f32x4.sub": vectorBinary(0xe5),
  "f32x4.mul": vectorBinary(0xe6),
  "f32x4.div": vectorBinary(0xe7),
  "f32x4.pmin": vectorBinary(0xea),
  "f32x4.pmax": vectorBinary(0xeb)
} satisfies { readonly [name: string]: Instruction }

/** The name of an instruction without immediates. */
export type Name = keyof typeof instructions
