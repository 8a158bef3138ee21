/**
 * The `Tensors` service on one tfjs backend, with the interpreter as executor.
 */
import { PyTree } from "@optim/pytree"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { type BackendError, BackendLost, DisposedTensor, OutOfMemory } from "../../OptimError.ts"
import { type Differentiated, type Execution, type HostTensor, type MemoryUse, Tensors } from "../../Tensors.ts"
import { describeLeaf } from "../leaves.ts"
import { isTensor } from "../tensorLike.ts"
import { isOutOfMemory } from "./allocation.ts"
import { onBackend } from "./backend.ts"
import { differentiate, type Taped } from "./differentiate.ts"
import { share } from "./share.ts"
import { interpret } from "./interpret.ts"

/** What differs between backends. */
export interface Backend {
  readonly name: string
  /** The size of the backend's own heap, if it has one. */
  readonly heapBytes: () => number | undefined
  /** How plans are executed, in words. */
  readonly execution: string
  /** Has the device gone away under the backend? */
  readonly isLost?: () => boolean
  /** Can numbers be read at once? Where a device computes, they come in their own time. */
  readonly readsAtOnce: boolean
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

const numberOf = (value: Tensor): number => value.dataSync()[0] ?? Number.NaN

type Numbers = Float32Array | Int32Array | Uint8Array

const gone = (tensor: Tensor): DisposedTensor =>
  new DisposedTensor({ operation: "Tensors.read", paths: [`a tensor ${describeLeaf(tensor)}`] })

/** How computations run on a backend, and how they fail. */
const sectionsOf = (backend: Backend) => {
  const outOfMemory = (requestedBytes: number): OutOfMemory =>
    new OutOfMemory({ backend: backend.name, requestedBytes, inUseBytes: tf.memory().numBytes })

  const isLost = backend.isLost ?? (() => false)
  const lost = (): BackendLost => new BackendLost({ backend: backend.name })

  /** What a failed computation is: a device that is gone, a heap that is full, or a defect. */
  const reasonOf = (error: unknown): unknown =>
    isLost() ? lost() : isOutOfMemory(error) ? outOfMemory(error.requestedBytes) : error

  /** One synchronous section on the backend; throws `OutOfMemory` and `BackendLost`. */
  const sectionUnsafe = <A>(compute: () => A): A => {
    try {
      const result = onBackend(backend.name, compute)
      if (isLost()) throw lost()
      return result
    } catch (error) {
      throw reasonOf(error)
    }
  }

  /** The same as an effect; whatever else fails is a defect. */
  const section = <A>(compute: () => A): Effect.Effect<A, BackendError> =>
    Effect.suspend((): Effect.Effect<A, BackendError> => {
      try {
        return Effect.succeed(sectionUnsafe(compute))
      } catch (error) {
        return error instanceof OutOfMemory || error instanceof BackendLost ? Effect.fail(error) : Effect.die(error)
      }
    })

  /** Numbers that are on their way when the device goes never come, or are none. */
  const read = (tensor: Tensor) =>
    Effect.suspend(() => (isLost() ? Effect.fail(lost()) : Effect.promise(() => tensor.data()))).pipe(
      Effect.matchCauseEffect({
        onSuccess: (data) => (isLost() ? Effect.fail(lost()) : Effect.succeed(data)),
        onFailure: (cause) => (isLost() ? Effect.fail(lost()) : Effect.failCause(cause))
      })
    )

  return { read, section, sectionUnsafe }
}

/** The service of a backend that is up. */
export const make = (backend: Backend): Tensors["Service"] => {
  const { read, section, sectionUnsafe } = sectionsOf(backend)

  const makeUnsafe = ({ data, shape }: HostTensor): Tensor =>
    sectionUnsafe(() => tf.keep(tf.tensor(data, [...shape], dtypeOf(data))))

  /** Waits for the number of the value. */
  const withNumber = <Aux>(taped: Taped<Aux, Tensor>): Effect.Effect<Differentiated<Aux>, BackendLost> =>
    read(taped.value).pipe(
      Effect.map(([value = Number.NaN]) => ({ ...taped, value })),
      Effect.ensuring(Effect.sync(() => taped.value.dispose()))
    )

  return Tensors.of({
    backend: backend.name,
    execution: backend.execution,
    make: (host) => section(() => makeUnsafe(host)),
    makeUnsafe,
    read: (tensor) =>
      Effect.suspend((): Effect.Effect<Numbers, BackendLost | DisposedTensor> =>
        tensor.isDisposed ? Effect.fail(gone(tensor)) : read(tensor)
      ),
    share: (tensor) => section(() => tf.keep(share(tensor))),
    run: (compute) => section(() => scoped(compute)),
    execute: (execution) => section(() => backend.execute(execution)),
    executeUnsafe: (execution) => sectionUnsafe(() => backend.execute(execution)),
    differentiate: (loss, params) =>
      backend.readsAtOnce
        ? Effect.flatMap(
            section(() => differentiate(loss, params, numberOf)),
            Effect.fromResult
          )
        : section(() => differentiate(loss, params, (value) => tf.keep(share(value)))).pipe(
            Effect.flatMap(Effect.fromResult),
            Effect.flatMap(withNumber),
            // Nobody owns the gradients before the value is there.
            Effect.uninterruptible
          ),
    memory: Effect.sync((): MemoryUse => {
      const { numBytes, numTensors } = tf.memory()
      return { tensors: numTensors, bytes: numBytes, heapBytes: backend.heapBytes() }
    })
  })
}
