/**
 * The `Tensors` service on one tfjs backend, with the interpreter as executor.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type { LossFailed, LossNotScalar } from "../../OptimError.ts"
import { OutOfMemory } from "../../OptimError.ts"
import { type Differentiated, type Execution, type HostTensor, type MemoryUse, Tensors } from "../../Tensors.ts"
import { OutOfMemoryDefect } from "./allocation.ts"
import { onBackend } from "./backend.ts"
import { differentiate } from "./differentiate.ts"
import { interpret } from "./interpret.ts"

/** What differs between backends. */
export interface Backend {
  readonly name: string
  /** The size of the backend's own heap, if it has one. */
  readonly heapBytes: () => number | undefined
}

const dtypeOf = (data: HostTensor["data"]): "float32" | "int32" | "bool" =>
  data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool"

const execute = ({ donated, inputs, plan, scalars }: Execution): ReadonlyArray<Tensor> => {
  const outputs = interpret(plan, inputs, scalars)
  for (const tensor of donated) if (!tensor.isDisposed) tensor.dispose()
  return outputs
}

/** The service of a backend that is up. */
export const make = (backend: Backend): Tensors["Service"] => {
  const outOfMemory = (requestedBytes: number): OutOfMemory =>
    new OutOfMemory({ backend: backend.name, requestedBytes, inUseBytes: tf.memory().numBytes })

  /** One synchronous section on the backend; failures other than the typed ones are defects. */
  const section = <A, E = never>(compute: () => A, isFailure: (error: unknown) => error is E): Effect.Effect<A, E | OutOfMemory> =>
    Effect.suspend((): Effect.Effect<A, E | OutOfMemory> => {
      try {
        return Effect.succeed(onBackend(backend.name, compute))
      } catch (error) {
        if (error instanceof OutOfMemoryDefect) return Effect.fail(outOfMemory(error.requestedBytes))
        return isFailure(error) ? Effect.fail(error) : Effect.die(error)
      }
    })

  const never = (_: unknown): _ is never => false
  const isLossError = (error: unknown): error is LossFailed | LossNotScalar =>
    error instanceof Error && "_tag" in error && (error._tag === "LossFailed" || error._tag === "LossNotScalar")

  return Tensors.of({
    backend: backend.name,
    make: ({ data, shape }) => section(() => tf.keep(tf.tensor(data, [...shape], dtypeOf(data))), never),
    read: (tensor) => Effect.promise(() => tensor.data()),
    share: (tensor) => Effect.sync(() => tf.keep(tf.clone(tensor))),
    execute: (execution) => section(() => execute(execution), never),
    differentiate: <Aux>(loss: (params: ReadonlyArray<Tensor>) => { readonly value: unknown; readonly aux: Aux }, params: ReadonlyArray<Tensor>) =>
      section<Differentiated<Aux>, LossFailed | LossNotScalar>(() => differentiate(loss, params), isLossError),
    memory: Effect.sync((): MemoryUse => {
      const { numBytes, numTensors } = tf.memory()
      return { tensors: numTensors, bytes: numBytes, heapBytes: backend.heapBytes() }
    })
  })
}
