/**
 * The two forms of every operation of a kernel's body: four elements at a time, and one.
 *
 * Both stand on one row and do the same arithmetic, so an element does not depend on where in a tensor it lies. A mask is
 * a vector of set or cleared lanes in the first form, 0 or 1 in the second.
 */
import type { BodyOp } from "../plan/kernel.ts"
import type { Assembler } from "./assembler.ts"
import type { Name } from "./instructions.ts"

/** Emits code that pushes an operand. */
type Push = () => void

/** Emits code that leaves the result on the stack, given the operands. */
type Emit = (asm: Assembler, operands: ReadonlyArray<Push>) => void

/** An operation, for vectors and for single elements. */
export interface Forms {
  readonly vector: Emit
  readonly single: Emit
}

const plain =
  (name: Name): Emit =>
  (asm, operands) => {
    for (const push of operands) push()
    asm.op(name)
  }

const both = (vector: Name, single: Name): Forms => ({ vector: plain(vector), single: plain(single) })

const arithmetic = <
  N extends "abs" | "add" | "div" | "eq" | "floor" | "ge" | "gt" | "le" | "lt" | "mul" | "ne" | "neg" | "sqrt" | "sub"
>(
  name: N
): Forms => both(`f32x4.${name}`, `f32.${name}`)

const pushAll = (...pushes: ReadonlyArray<Push | undefined>): void => {
  for (const push of pushes) push?.()
}

// `pmin(a, b)` is `b < a ? b : a`, one machine instruction where `f32x4.min` is seven (V8 on x64). Both orders are the
// same number, but of zeros, of which −0 has more bits, and where one is NaN: its bits stay NaN whatever joins them.
const minimum: Forms = {
  vector: (asm, [a, b]) => {
    pushAll(a, b)
    asm.op("f32x4.pmin")
    pushAll(b, a)
    asm.op("f32x4.pmin").op("v128.or")
  },
  single: plain("f32.min")
}

// With p and q for both orders: (p | q) − (p ^ q), where p ^ q is +0 but for zeros, of which it is −0, and −0 − −0 = +0.
// NaN is in p | q, and stays. `f32x4.max` is eight instructions.
const maximum: Forms = {
  vector: (asm, [a, b]) => {
    const [p, q] = [asm.scratch("v128", 0), asm.scratch("v128", 1)]
    pushAll(a, b)
    asm.op("f32x4.pmax").tee(p)
    pushAll(b, a)
    asm.op("f32x4.pmax").tee(q).op("v128.or")
    asm.get(p).get(q).op("v128.xor").op("f32x4.sub")
  },
  single: plain("f32.max")
}

// x > 0 ? 1 : x < 0 ? -1 : x, so that ±0 and NaN are themselves.
const sign: Forms = {
  vector: (asm, [x]) => {
    asm.f32(1).op("f32x4.splat").f32(-1).op("f32x4.splat")
    pushAll(x, x)
    asm.f32(0).op("f32x4.splat").op("f32x4.lt").op("v128.bitselect")
    pushAll(x)
    asm.f32(0).op("f32x4.splat").op("f32x4.gt").op("v128.bitselect")
  },
  single: (asm, [x]) => {
    asm.f32(1).f32(-1)
    pushAll(x, x)
    asm.f32(0).op("f32.lt").select("f32")
    pushAll(x)
    asm.f32(0).op("f32.gt").select("f32")
  }
}

const select: Forms = {
  vector: (asm, [mask, a, b]) => {
    pushAll(a, b, mask)
    asm.op("v128.bitselect")
  },
  single: (asm, [mask, a, b]) => {
    pushAll(a, b, mask)
    asm.select("f32")
  }
}

const unmask: Forms = {
  vector: (asm, [mask]) => {
    pushAll(mask)
    asm.f32(1).op("f32x4.splat").op("v128.and")
  },
  single: plain("f32.convert_i32_s")
}

/** One row per operation. */
export const forms: { readonly [O in BodyOp]: Forms } = {
  neg: arithmetic("neg"),
  abs: arithmetic("abs"),
  sqrt: arithmetic("sqrt"),
  floor: arithmetic("floor"),
  sign,
  add: arithmetic("add"),
  sub: arithmetic("sub"),
  mul: arithmetic("mul"),
  div: arithmetic("div"),
  minimum,
  maximum,
  less: arithmetic("lt"),
  lessEqual: arithmetic("le"),
  greater: arithmetic("gt"),
  greaterEqual: arithmetic("ge"),
  equal: arithmetic("eq"),
  notEqual: arithmetic("ne"),
  and: both("v128.and", "i32.and"),
  or: both("v128.or", "i32.or"),
  not: both("v128.not", "i32.eqz"),
  select,
  unmask
}
