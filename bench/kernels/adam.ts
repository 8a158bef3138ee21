/**
 * Adam as one would write it by hand: one pass, bias corrections folded into rate and epsilon on the host.
 *
 *     m ← b1·m + (1−b1)·g        v ← b2·v + (1−b2)·g²        x ← x − α·m / (√v + ε)
 *     α = rate·√(1−b2^(t+1)) / (1−b1^(t+1))                  ε = eps·√(1−b2^(t+1))
 *
 * Independent of the library's code generator; only the encoding of instructions is shared.
 */
import { Assembler, type Local } from "../../packages/core/src/internal/wasm/assembler.ts"
import { b1, b2, eps, rate } from "../reference.ts"
import { loop } from "./loop.ts"

/** α and ε of a step. */
export const folded = (t: number): readonly [alpha: number, epsilon: number] => {
  const root = Math.sqrt(1 - b2 ** (t + 1))
  return [(rate * root) / (1 - b1 ** (t + 1)), eps * root]
}

interface Arrays {
  readonly x: Local
  readonly m: Local
  readonly v: Local
}

/** Emits the rule in one of the two forms of its arithmetic. */
const emit = (
  asm: Assembler,
  form: "f32x4" | "f32",
  g: Local,
  from: Arrays,
  to: Arrays,
  scalars: ReadonlyArray<Local>
) => {
  const vector = form === "f32x4"
  const temporary = () => asm.local(vector ? "v128" : "f32")
  const [gradient, mean, square] = [temporary(), temporary(), temporary()]
  const [alpha, epsilon, keep1, add1, keep2, add2] = scalars.map((scalar) => {
    if (!vector) return scalar
    const spread = asm.local("v128")
    asm.get(scalar).op("f32x4.splat").set(spread)
    return spread
  })
  if (!alpha || !epsilon || !keep1 || !add1 || !keep2 || !add2) throw new Error("Adam has six scalars")
  const load = (pointer: Local, offset: number) =>
    vector ? asm.get(pointer).loadV128(offset) : asm.get(pointer).loadF32(offset)
  const store = (offset: number) => (vector ? asm.storeV128(offset) : asm.storeF32(offset))
  return (offset: number): void => {
    load(g, offset).set(gradient)
    load(from.m, offset).get(keep1).op(`${form}.mul`).get(gradient).get(add1).op(`${form}.mul`)
    asm.op(`${form}.add`).set(mean)
    load(from.v, offset).get(keep2).op(`${form}.mul`)
    asm.get(gradient).get(gradient).op(`${form}.mul`).get(add2).op(`${form}.mul`)
    asm.op(`${form}.add`).set(square)
    asm.get(to.m).get(mean)
    store(offset)
    asm.get(to.v).get(square)
    store(offset)
    asm.get(to.x)
    load(from.x, offset)
    asm.get(alpha).get(mean).op(`${form}.mul`).get(square).op(`${form}.sqrt`).get(epsilon).op(`${form}.add`)
    asm.op(`${form}.div`).op(`${form}.sub`)
    store(offset)
  }
}

const prologue = (asm: Assembler, first: number): ReadonlyArray<Local> => {
  const constants = [b1, 1 - b1, b2, 1 - b2].map((value) => {
    const local = asm.local("f32")
    asm.f32(value).set(local)
    return local
  })
  return [asm.param(first), asm.param(first + 1), ...constants]
}

/** `run(x, g, m, v, n, α, ε)`: writes x, m and v where they are. */
export const adamInPlace = (): Assembler => {
  const asm = new Assembler(["i32", "i32", "i32", "i32", "i32", "f32", "f32"])
  const [x, g, m, v] = [0, 1, 2, 3].map((index) => asm.param(index)) as [Local, Local, Local, Local]
  const scalars = prologue(asm, 5)
  const arrays = { x, m, v }
  loop(asm, asm.param(4), [x, g, m, v], {
    vector: emit(asm, "f32x4", g, arrays, arrays, scalars),
    single: emit(asm, "f32", g, arrays, arrays, scalars)
  })
  return asm
}

/** `run(x, g, m, v, x′, m′, v′, n, α, ε)`: writes new arrays. */
export const adamAnew = (): Assembler => {
  const asm = new Assembler(["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "f32", "f32"])
  const pointers = [0, 1, 2, 3, 4, 5, 6].map((index) => asm.param(index))
  const [x, g, m, v, x2, m2, v2] = pointers as [Local, Local, Local, Local, Local, Local, Local]
  const scalars = prologue(asm, 8)
  loop(asm, asm.param(7), pointers, {
    vector: emit(asm, "f32x4", g, { x, m, v }, { x: x2, m: m2, v: v2 }, scalars),
    single: emit(asm, "f32", g, { x, m, v }, { x: x2, m: m2, v: v2 }, scalars)
  })
  return asm
}
