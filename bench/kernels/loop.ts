/**
 * The loop of the hand-written kernels: sixteen elements a turn, then one at a time.
 */
import type { Assembler, Local } from "../../packages/core/src/internal/wasm/assembler.ts"

const lanes = 4

const vectors = 4

const wordBytes = 4

const vectorBytes = lanes * wordBytes

/** Emits what is done to the elements at a byte offset from the pointers. */
type Emit = (offset: number) => void

/** Repeats `body` while at least `elements` are left, and moves the pointers. */
const strip = (
  asm: Assembler,
  left: Local,
  pointers: ReadonlyArray<Local>,
  elements: number,
  body: () => void
): void => {
  const enough = (): void => {
    asm.get(left).i32(elements).op("i32.ge_u")
  }
  enough()
  asm.when(() => {
    asm.doWhile(() => {
      body()
      for (const pointer of pointers) {
        asm
          .get(pointer)
          .i32(elements * wordBytes)
          .op("i32.add")
          .set(pointer)
      }
      asm.get(left).i32(elements).op("i32.sub").set(left)
    }, enough)
  })
}

/** A loop over `left` elements. */
export const loop = (
  asm: Assembler,
  left: Local,
  pointers: ReadonlyArray<Local>,
  body: { readonly vector: Emit; readonly single: Emit }
): void => {
  strip(asm, left, pointers, vectors * lanes, () => {
    for (let part = 0; part < vectors; part++) body.vector(part * vectorBytes)
  })
  strip(asm, left, pointers, 1, () => body.single(0))
}
