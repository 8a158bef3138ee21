/**
 * Traffic: loads and stores the arrays of an optimizer and only adds, `x ← x + g`, `s ← s + g` for each slot.
 *
 * What memory alone costs: no optimizer of so many slots can be faster.
 */
import { Assembler, type Local } from "../../packages/core/src/internal/wasm/assembler.ts"
import { loop } from "./loop.ts"

/** `run(g, x, …slots, n)` */
export const traffic = (slots: number): Assembler => {
  const asm = new Assembler(Array.from({ length: slots + 3 }, () => "i32" as const))
  const [g, ...written] = Array.from({ length: slots + 2 }, (_, index) => asm.param(index)) as [Local, ...Array<Local>]
  const gradients = asm.local("v128")
  const gradient = asm.local("f32")
  loop(asm, asm.param(slots + 2), [g, ...written], {
    vector: (offset) => {
      asm.get(g).loadV128(offset).set(gradients)
      for (const array of written)
        asm.get(array).get(array).loadV128(offset).get(gradients).op("f32x4.add").storeV128(offset)
    },
    single: (offset) => {
      asm.get(g).loadF32(offset).set(gradient)
      for (const array of written)
        asm.get(array).get(array).loadF32(offset).get(gradient).op("f32.add").storeF32(offset)
    }
  })
  return asm
}
