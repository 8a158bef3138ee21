/** Compiled kernels for the curious. */
import type { Plan } from "../../Plan.ts"
import { moduleBytes } from "./assembler.ts"
import { compile } from "./compile.ts"

/** The module of one kernel: its bytes, and its code as text. */
export interface KernelModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly text: string
}

/**
 * The WebAssembly modules of a plan, one per distinct kernel, in the order of `Optimizer.explain`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Wasm from "@optim/core/wasm"
 *
 * const { update } = await Effect.runPromise(Optimizer.adam({ stepSize: 1e-3 }).trace({ w: 1, b: 2 }))
 * const [kernel, ...others] = Wasm.modules(update)
 * assert.strictEqual(others.length, 0) // both leaves share one kernel
 * assert.ok(kernel !== undefined && WebAssembly.validate(kernel.bytes))
 * assert.ok(kernel.text.includes("f32x4.sqrt"))
 * ```
 */
export const modules = (plan: Plan): ReadonlyArray<KernelModule> => {
  const kernels = new Map(
    plan.steps.flatMap((step) => (step._tag === "Fused" ? [[step.key, step.kernel] as const] : []))
  )
  return [...kernels.values()].map((kernel) => {
    const assembler = compile(kernel)
    return { bytes: moduleBytes(assembler, false), text: assembler.print() }
  })
}
