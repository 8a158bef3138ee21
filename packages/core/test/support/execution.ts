/** Programs executed through the service, from values of the host to values of the host. */
import { type BackendLost, type DisposedTensor, type Expr, Plan, Program, Tensors } from "@optim/core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { RandomProgram } from "./randomProgram.ts"
import type { Value } from "./reference.ts"

export type Service = Tensors.Tensors["Service"]

export const valueOf = (tensors: Service, tensor: Tensor): Effect.Effect<Value, BackendLost | DisposedTensor> =>
  Effect.map(tensors.read(tensor), (data) => ({ shape: tensor.shape, dtype: tensor.dtype as Expr.DType, data }))

/** The outputs of a program; its inputs are made for it and disposed like the outputs. */
export const run = Effect.fnUntraced(function* (tensors: Service, { host, inputs, program }: RandomProgram) {
  const made = yield* Effect.forEach(inputs, (input) => Tensors.scoped(tensors.make(input)))
  const scalars = Program.evaluateScalars(program, host)
  const outputs = yield* Tensors.scoped(
    tensors.execute({ plan: Plan.make(program), inputs: made, scalars, donatedFrom: made.length, renewHandles: true })
  )
  return yield* Effect.forEach(outputs, (output) => valueOf(tensors, output))
})

/** Every node an output. */
export const laidOpen = (random: RandomProgram): RandomProgram => ({
  ...random,
  program: { ...random.program, outputs: random.program.nodes.map((_, id) => id) }
})
