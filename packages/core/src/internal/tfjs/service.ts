/**
 * The `Tensors` service on one tfjs backend, with the interpreter as executor.
 */
import { PyTree } from "@optim/pytree"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { OutOfMemory } from "../../OptimError.ts"
import { type Execution, type HostTensor, type MemoryUse, Tensors } from "../../Tensors.ts"
import { isTensor } from "../tensorLike.ts"
import { isOutOfMemory } from "./allocation.ts"
import { onBackend } from "./backend.ts"
import { differentiate } from "./differentiate.ts"
import { share } from "./share.ts"
import { interpret } from "./interpret.ts"

/** What differs between backends. */
export interface Backend {
  readonly name: string
  /** The size of the backend's own heap, if it has one. */
  readonly heapBytes: () => number | undefined
  /** How plans are executed, in words. */
  readonly execution: string
  /** Executes a plan. Consumes what is donated, if it succeeds. */
  readonly execute: (execution: Execution) => ReadonlyArray<Tensor>
}

const dtypeOf = (data: HostTensor["data"]): "float32" | "int32" | "bool" =>
  data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool"

/** Execution node by node, for backends without kernels. */
export const interpreted = ({ donatedFrom, inputs, plan, scalars }: Execution): ReadonlyArray<Tensor> => {
  const outputs = interpret(plan, inputs, scalars)
  for (const tensor of inputs.slice(donatedFrom)) if (!tensor.isDisposed) tensor.dispose()
  return outputs
}

/** Computes, keeps the tensors of the result, and disposes all others that were made. */
const scoped = <A>(compute: () => A): A => {
  const engine = tf.engine()
  engine.startScope("Tensors.run")
  try {
    const result = compute()
    for (const leaf of PyTree.leaves(result)) if (isTensor(leaf)) tf.keep(leaf)
    return result
  } finally {
    engine.endScope()
  }
}

/** The service of a backend that is up. */
export const make = (backend: Backend): Tensors["Service"] => {
  const outOfMemory = (requestedBytes: number): OutOfMemory =>
    new OutOfMemory({ backend: backend.name, requestedBytes, inUseBytes: tf.memory().numBytes })

  /** One synchronous section on the backend; where the allocator fails, it throws `OutOfMemory`. */
  const sectionUnsafe = <A>(compute: () => A): A => {
    try {
      return onBackend(backend.name, compute)
    } catch (error) {
      throw isOutOfMemory(error) ? outOfMemory(error.requestedBytes) : error
    }
  }

  /** The same as an effect; whatever fails but the allocator is a defect. */
  const section = <A>(compute: () => A): Effect.Effect<A, OutOfMemory> =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(sectionUnsafe(compute))
      } catch (error) {
        return error instanceof OutOfMemory ? Effect.fail(error) : Effect.die(error)
      }
    })

  const makeUnsafe = ({ data, shape }: HostTensor): Tensor =>
    sectionUnsafe(() => tf.keep(tf.tensor(data, [...shape], dtypeOf(data))))

  return Tensors.of({
    backend: backend.name,
    execution: backend.execution,
    make: (host) => section(() => makeUnsafe(host)),
    makeUnsafe,
    read: (tensor) => Effect.promise(() => tensor.data()),
    share: (tensor) => section(() => tf.keep(share(tensor))),
    run: (compute) => section(() => scoped(compute)),
    execute: (execution) => section(() => backend.execute(execution)),
    executeUnsafe: (execution) => sectionUnsafe(() => backend.execute(execution)),
    differentiate: (loss, params) =>
      Effect.flatMap(
        section(() => differentiate(loss, params)),
        Effect.fromResult
      ),
    memory: Effect.sync((): MemoryUse => {
      const { numBytes, numTensors } = tf.memory()
      return { tensors: numTensors, bytes: numBytes, heapBytes: backend.heapBytes() }
    })
  })
}
