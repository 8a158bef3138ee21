/**
 * Optimizers whose gradients are clipped on the way, in the program of the update.
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { OptimError } from "../../OptimError.ts"
import type { OptimizerState } from "../../OptimizerState.ts"
import { dispose, type Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { bound, check } from "./hyperParameters.ts"
import { type Preceded, preceded } from "./leafwise.ts"
import { clip, clipGrads } from "./norms.ts"
import type { Gradients, Optimizer, Update, UpdateOptions } from "./rule.ts"

/** How the gradients of an optimizer are clipped. */
export interface ClippedOptions {
  /** The largest norm that gradients keep, taken over the whole tree, ≥ 0. */
  readonly maxNorm: number
}

const isPreceded = <S, Needs extends string>(
  update: Update<S, Needs> | (Update<S, Needs> & Preceded<S>)
): update is Update<S, Needs> & Preceded<S> => preceded in update

/** Clips, then updates: for an `update` of which nothing is known. Gradients are consumed only if both succeed. */
const clipThen = <S>(update: Update<S>, maxNorm: number) =>
  atomically(
    Effect.fnUntraced(function* <P>(
      step: number,
      grads: Gradients<NoInfer<P>>,
      state: OptimizerState<P, S>,
      options: UpdateOptions = {}
    ): Effect.fn.Return<OptimizerState<P, S>, OptimError, Tensors> {
      const { donate = false } = options
      // Clipped gradients are the tree of gradients with tensors for leaves.
      const clipped = (yield* clipGrads(grads, maxNorm)) as Gradients<NoInfer<P>>
      const given: UpdateOptions = { ...options, donate: donate === false ? false : "state" }
      const next = yield* Effect.ensuring(update(step, clipped, state, given), dispose(clipped))
      if (donate === true) yield* dispose(grads)
      return next
    })
  )

const clipBefore = <S, Needs extends string>(
  optimizer: Optimizer<S, Needs>,
  { maxNorm }: ClippedOptions
): Optimizer<S, Needs> => {
  const options = check("clipped", { maxNorm }, { maxNorm: bound })
  const { hyperParameters, init, name, params, trace, update } = optimizer
  if (isPreceded(update)) return update[preceded](clip(maxNorm), options)
  // The numbers that it needs are among the options, which are passed on.
  const next: Update<S, Needs> = clipThen(update as Update<S>, maxNorm)
  return Object.assign([init, next, params] as const, {
    name,
    hyperParameters: { ...hyperParameters, ...options },
    init,
    update: next,
    params,
    trace
  })
}

/**
 * An optimizer that clips its gradients, so that their norm, over the whole tree, is at most `maxNorm`.
 *
 *     n = l2Norm(g)        g ← g if n < maxNorm, else g·(maxNorm / n)        then the update
 *
 * The numbers are those of `clipGrads` and the update after it, in one program: the gradients are read once for the norm
 * and scaled while the update reads them, so clipped gradients are never stored. Name, state and slots are those of the
 * optimizer within, so states and checkpoints of one are good for the other. Throws `InvalidHyperParameter` unless
 * maxNorm ≥ 0.
 * Source: Pascanu, Mikolov & Bengio 2013.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const sgd = Optimizer.clipped(Optimizer.sgd({ stepSize: 1 }), { maxNorm: 5 })
 *   const state = yield* sgd.update(0, [30, 40], yield* sgd.init([0, 0]))
 *   return sgd.params(state).map((x) => x.dataSync()[0])
 * })
 * // A step of length 5 in the direction of the gradient, which is ten times as long.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-3, -4])
 * ```
 */
export const clipped: {
  (options: ClippedOptions): <S, Needs extends string = never>(optimizer: Optimizer<S, Needs>) => Optimizer<S, Needs>
  <S, Needs extends string = never>(optimizer: Optimizer<S, Needs>, options: ClippedOptions): Optimizer<S, Needs>
} = dual(2, clipBefore)
