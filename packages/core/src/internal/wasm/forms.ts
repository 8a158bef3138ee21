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
  N extends
    | "abs"
    | "add"
    | "div"
    | "eq"
    | "floor"
    | "ge"
    | "gt"
    | "le"
    | "lt"
    | "max"
    | "min"
    | "mul"
    | "ne"
    | "neg"
    | "sqrt"
    | "sub"
>(
  name: N
): Forms => both(`f32x4.${name}`, `f32.${name}`)

const pushAll = (...pushes: ReadonlyArray<Push | undefined>): void => {
  for (const push of pushes) push?.()
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
  minimum: arithmetic("min"),
  maximum: arithmetic("max"),
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
