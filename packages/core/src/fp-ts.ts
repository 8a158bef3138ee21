/**
 * Transforms for fp-ts: a monoid of what is done one after the other, constructors to pipe, effects as task-eithers.
 *
 * Transforms that are chained form a monoid up to their states: whatever way a chain is bracketed, the updates are the same
 * to the last bit, while its states are nested as it is. So the monoid is one of transforms whatever their state; `andThen`
 * does the same and keeps the type of the state. The combinators of `Transform` are here once more with the transform
 * last, for `pipe`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as ManagedRuntime from "effect/ManagedRuntime"
 * import { either as E, function as F, monoid, option as O, taskEither as TE } from "fp-ts"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import * as T from "@optim/core/fp-ts"
 *
 * const runtime = ManagedRuntime.make(Cpu.layer)
 * const run = T.toTaskEither(runtime)
 *
 * // Gradients are clipped before they are gathered over two steps.
 * const recipe = F.pipe(
 *   Transform.clipByGlobalNorm({ maxNorm: 1 }),
 *   T.andThen(Transform.scaleByLearningRate({ learningRate: 0.5 })),
 *   T.multiSteps({ everyKSchedule: 2, useGradMean: false })
 * )
 * const optimizer = Optimizer.fromTransform(recipe)
 * const trained = F.pipe(
 *   run(optimizer.init({ w: 0 })),
 *   TE.chain((state) => run(optimizer.update(0, { w: 1 }, state))),
 *   TE.chain((state) => run(optimizer.update(1, { w: 1 }, state))),
 *   TE.map((state) => optimizer.params(state).w.dataSync()[0])
 * )
 * assert.deepStrictEqual(await trained(), E.right(-0.5))
 *
 * // A chain of parts that are there or not.
 * const clip = O.some(Transform.clipByGlobalNorm({ maxNorm: 2 }))
 * const parts = [clip, O.none, O.some(Transform.scale({ stepSize: -0.25 }))]
 * const chain = monoid.concatAll(O.getMonoid(T.getSemigroup()))(parts)
 * const updates = (transform: T.Composable) =>
 *   Effect.flatMap(Transform.init(transform, { w: 0 }), (state) => Transform.update(transform, { w: 8 }, state))
 * const updated = F.pipe(chain, O.getOrElse(() => T.getMonoid().empty), updates, run)
 * assert.deepStrictEqual(F.pipe(await updated(), E.map(({ updates }) => updates.w.dataSync()[0])), E.right(-0.5))
 * await runtime.dispose()
 * ```
 */
import * as Effect from "effect/Effect"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import * as Either from "fp-ts/lib/Either.js"
import type { Monoid } from "fp-ts/lib/Monoid.js"
import type { Semigroup } from "fp-ts/lib/Semigroup.js"
import type { TaskEither } from "fp-ts/lib/TaskEither.js"
import * as Transform from "./Transform.ts"

/** A transform whatever its state. */
export type Composable<Needs extends string = never> = Transform.Transform<Transform.StateOf<Transform.Any>, Needs>

/**
 * Transforms one after the other; the type parameter says what they may need besides the updates.
 *
 *     concat(concat(a, b), c) = concat(a, concat(b, c))      as far as updates tell
 */
export const getSemigroup = <Needs extends string = never>(): Semigroup<Composable<Needs>> => ({
  concat: (first, second) => Transform.chain(first, second)
})

/**
 * Transforms one after the other, and the one that lets updates pass.
 *
 *     concat(empty, a) = a = concat(a, empty)      as far as updates tell
 */
export const getMonoid = <Needs extends string = never>(): Monoid<Composable<Needs>> => ({
  ...getSemigroup<Needs>(),
  empty: Transform.identity()
})

/** A transform, and then another: `Transform.chain` of two, with both of their states. */
export const andThen =
  <T extends Transform.Any>(next: T) =>
  <F extends Transform.Any>(
    first: F
  ): Transform.Transform<Transform.ChainState<readonly [F, T]>, Transform.NeedsOf<F | T>> =>
    Transform.chain(first, next)

/** `Transform.masked` with the transform last. */
export const masked =
  (mask: Transform.Mask) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.masked(inner, mask)

/** `Transform.multiSteps` with the transform last. */
export const multiSteps =
  <M = never>(options: Transform.MultiStepsOptions<M>) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.multiSteps(inner, options)

/** `Transform.lookahead` with the transform last. */
export const lookahead =
  (options: Transform.LookaheadOptions) =>
  <S, Needs extends string>(fast: Transform.Transform<S, Needs>) =>
    Transform.lookahead(fast, options)

/** `Transform.applyIfFinite` with the transform last. */
export const applyIfFinite =
  (options: Transform.ApplyIfFiniteOptions) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.applyIfFinite(inner, options)

/** `Transform.selectiveTransform` with the transform last. */
export const selectiveTransform =
  (options: Transform.SelectiveTransformOptions) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.selectiveTransform(inner, options)

/** `Transform.conditionallyTransform` with the transform last. */
export const conditionallyTransform =
  (shouldTransform: Transform.Condition) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.conditionallyTransform(inner, shouldTransform)

/** `Transform.conditionallyMask` with the transform last. */
export const conditionallyMask =
  (shouldTransform: Transform.Condition) =>
  <S, Needs extends string>(inner: Transform.Transform<S, Needs>) =>
    Transform.conditionallyMask(inner, shouldTransform)

/**
 * Effects as task-eithers, run by a runtime that provides what they need: its layers are built once, at the first run, and
 * kept until the runtime is disposed. A failure is a `Left`, also one of the layers; a defect rejects.
 */
export const toTaskEither =
  <R, LayerError>(runtime: ManagedRuntime.ManagedRuntime<R, LayerError>) =>
  <A, E>(effect: Effect.Effect<A, E, R>): TaskEither<E | LayerError, A> =>
  () =>
    Effect.runPromise(
      Effect.result(Effect.flatMap(runtime.contextEffect, (context) => Effect.provideContext(effect, context)))
    ).then(Result.match({ onFailure: Either.left, onSuccess: Either.right }))
