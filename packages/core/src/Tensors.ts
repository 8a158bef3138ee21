/**
 * Tensors: the one service that touches TensorFlow.js.
 *
 * It makes, reads, disposes and counts tensors, executes plans and differentiates losses. A layer (`@optim/core/wasm`,
 * `@optim/core/cpu`) provides it for one tfjs backend; what is above it never knows how a plan is executed, and never
 * depends on which backend tfjs regards as the current one.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const tensors = yield* Tensors.Tensors
 *   const tree = { x: yield* tensors.make({ shape: [2], data: Float32Array.of(1, 2) }), note: "not a tensor" }
 *   const numbers = yield* tensors.read(tree.x)
 *   yield* Tensors.dispose(tree)
 *   return [[...numbers], tree.x.isDisposed]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [[1, 2], true])
 * ```
 */
import { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Shape } from "./Expr.ts"
import { isDonated } from "./internal/optimizer/donation.ts"
import { isTensor } from "./internal/tensorLike.ts"
import type { BackendError, BackendLost, DisposedTensor, LossFailed, LossNotScalar } from "./OptimError.ts"
import type { Plan } from "./Plan.ts"

/** Numbers on the host in row-major order, with their shape. */
export interface HostTensor {
  readonly shape: Shape
  readonly data: Float32Array | Int32Array | Uint8Array
}

/** What an executor is given: the plan, its input tensors, and the values of its scalars. */
export interface Execution {
  readonly plan: Plan
  readonly inputs: ReadonlyArray<Tensor>
  readonly scalars: Float64Array
  /**
   * Inputs from this position on are given away: disposed, or written in place, when the execution succeeds. A position
   * beyond the last input gives nothing away.
   */
  readonly donatedFrom: number
  /**
   * Must an output that is written over a donated input have a handle of its own? Not if nobody but the one who donates
   * holds the old handles: they would show other numbers.
   */
  readonly renewHandles: boolean
}

/** A differentiated loss: its value, one gradient per tensor (undefined where the loss does not depend on it). */
export interface Differentiated<Aux> {
  readonly value: number
  readonly aux: Aux
  readonly grads: ReadonlyArray<Tensor | undefined>
}

/** Tensors alive in tfjs, their bytes, and the size of the backend's heap where it has one. */
export interface MemoryUse {
  readonly tensors: number
  readonly bytes: number
  readonly heapBytes: number | undefined
}

/** The service: one tfjs backend. */
export class Tensors extends Context.Service<
  Tensors,
  {
    /** The name of the tfjs backend. */
    readonly backend: string
    /** How plans are executed, in words. */
    readonly execution: string
    /** A tensor of the host's numbers: float32, int32, or bool by the kind of the array. The caller owns it. */
    readonly make: (host: HostTensor) => Effect.Effect<Tensor, BackendError>
    /** The numbers of a tensor; fails with `DisposedTensor` if it is gone. */
    readonly read: (
      tensor: Tensor
    ) => Effect.Effect<Float32Array | Int32Array | Uint8Array, BackendLost | DisposedTensor>
    /** Another handle of the same numbers: disposing one leaves the other. */
    readonly share: (tensor: Tensor) => Effect.Effect<Tensor, BackendError>
    /**
     * Runs tfjs ops on this backend, whichever tfjs regards as current: for an evaluation, say. In between tensors are
     * released; the tensors of the result, a tree, belong to the caller.
     */
    readonly run: <A>(compute: () => A) => Effect.Effect<A, BackendError>
    /** Executes a plan in one synchronous section; the caller owns the outputs. On failure nothing was donated. */
    readonly execute: (execution: Execution) => Effect.Effect<ReadonlyArray<Tensor>, BackendError>
    /** `make` and `execute` at once, for plain code that runs within one operation of a fiber. Throw what these fail with. */
    readonly makeUnsafe: (host: HostTensor) => Tensor
    readonly executeUnsafe: (execution: Execution) => ReadonlyArray<Tensor>
    /** The value and gradients of a loss; the caller owns gradients and the tensors of `aux`. */
    readonly differentiate: <Aux>(
      loss: (params: ReadonlyArray<Tensor>) => { readonly value: unknown; readonly aux: Aux },
      params: ReadonlyArray<Tensor>
    ) => Effect.Effect<Differentiated<Aux>, LossNotScalar | LossFailed | BackendError>
    /** What is alive now. */
    readonly memory: Effect.Effect<MemoryUse>
  }
>()("@optim/core/Tensors") {}

/** Disposes every tensor of a tree that is still alive; a state that was given away has none. */
export const dispose = (tree: unknown): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const leaf of PyTree.leaves(tree, { isLeaf: isDonated }))
      if (isTensor(leaf) && !leaf.isDisposed) leaf.dispose()
  })

/**
 * A tree of tensors that is disposed when the scope closes.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Tensors } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const tensors = yield* Tensors.Tensors
 *   const x = yield* tensors.make({ shape: [2], data: Float32Array.of(1, 2) }).pipe(Tensors.scoped, Effect.scoped)
 *   return x.isDisposed
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), true)
 * ```
 */
export const scoped = <A, E, R>(tree: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.acquireRelease(tree, dispose)
