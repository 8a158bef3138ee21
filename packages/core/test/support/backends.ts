/** The layers that every suite runs on. */
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"

export const backends = [
  { name: "wasm", layer: Wasm.layer },
  { name: "cpu", layer: Cpu.layer }
] as const
