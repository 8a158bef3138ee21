/**
 * Training: the loop that people want not to write.
 *
 * A trainer draws batches from a stream, differentiates the loss, updates the parameters and emits what it measured as
 * a stream of steps. It owns its state, always donates it, and releases it when its scope closes. Each step is one
 * uninterruptible section: a trainer that is interrupted holds the state before or after a step, never one in between.
 *
 * Each step is a span `Train.step` and updates the metrics `optim_train_steps`, `optim_train_loss` and
 * `optim_train_step_duration`.
 */
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Autodiff from "./Autodiff.ts"
import { atomically } from "./internal/atomically.ts"
import { attempt } from "./internal/attempt.ts"
import { checkNotDonated } from "./internal/optimizer/donation.ts"
import { checkStep } from "./internal/optimizer/step.ts"
import type { Optimizer, Promoted } from "./internal/optimizer/rule.ts"
import { type Checkpoints, saverOf } from "./internal/train/checkpoints.ts"
import { learningRateOf } from "./internal/train/learningRate.ts"
import { type AutodiffError, NonFinite, type OptimError, type BackendError } from "./OptimError.ts"
import { type OptimizerState, withLeaves } from "./OptimizerState.ts"
import { dispose, Tensors } from "./Tensors.ts"

export type { Checkpointer, Checkpoints } from "./internal/train/checkpoints.ts"
export { progress, type ProgressOptions } from "./internal/train/progress.ts"

/** What training starts from: parameters, or a state (which the trainer takes over) and the step that comes next. */
export type Start<P, S> =
  | { readonly params: P }
  | { readonly state: OptimizerState<Promoted<P>, S>; readonly step: number }

/** What is trained, by what, on what. */
export interface Options<P, S, Batch, E, R, V = never, E2 = never, R2 = never> {
  /** The optimizer; one that needs the loss (`value`) is given it. */
  readonly optimizer: Optimizer<S, "value">
  /** The loss on a batch: one float32 number as a tensor. */
  readonly loss: (params: Promoted<P>, batch: Batch) => Tensor
  /** The batches, one per step; training ends with them. Their tensors stay their maker's. */
  readonly batches: Stream.Stream<Batch, E, R>
  /** How many examples a batch holds, for `examplesPerSecond`. */
  readonly examples?: ((batch: Batch) => number) | undefined
  /** Fail with `NonFinite` at the first loss that is not finite, before it reaches the parameters. Default false. */
  readonly checkFinite?: boolean | undefined
  /** Save the run: after steps that are due, and when the steps are interrupted. */
  readonly checkpoints?: Checkpoints<Promoted<P>, S, V, E2, R2> | undefined
}

/** What one step measured. */
export interface TrainStep {
  /** The step, counted from 0. */
  readonly step: number
  /** The loss on the batch, before the update. */
  readonly loss: number
  /** The learning rate that was used, if the optimizer has one, and not several (groups, further factors). */
  readonly learningRate: number | undefined
  /** The duration of gradient and update. */
  readonly seconds: number
  /** Examples per second within the step, if `examples` was given. */
  readonly examplesPerSecond: number | undefined
}

/** A state, and the step that comes next. */
export interface Snapshot<P, S> {
  readonly state: OptimizerState<P, S>
  readonly step: number
}

/** A training run: its steps, and what it holds at the moment. */
export interface Trainer<P, S, E, R> {
  /** The steps, as they are made; each run of this stream goes on where the trainer stands. */
  readonly steps: Stream.Stream<TrainStep, E | OptimError | AutodiffError, R | Tensors>
  /** The step that comes next: how many steps were made since the very first. */
  readonly step: Effect.Effect<number>
  /** The parameters at this moment; they belong to the trainer and are gone with its next step. */
  readonly params: Effect.Effect<P>
  /**
   * The state at this moment, for looking into: what a transform measured, say. It belongs to the trainer and is gone with
   * its next step.
   */
  readonly state: Effect.Effect<OptimizerState<P, S>>
  /** A state of one's own, to save or to go on from; the caller owns it. */
  readonly snapshot: Effect.Effect<Snapshot<P, S>, BackendError, Tensors>
}

const steps = Metric.counter("optim_train_steps", { description: "Steps made", incremental: true })
const lossGauge = Metric.gauge("optim_train_loss", { description: "Loss of the latest step" })
const duration = Metric.timer("optim_train_step_duration", { description: "Duration of gradient and update" })

const begin = Effect.fnUntraced(function* <P, S>(
  optimizer: Optimizer<S, "value">,
  start: Start<P, S>
): Effect.fn.Return<Snapshot<Promoted<P>, S>, OptimError, Tensors> {
  if ("params" in start) return { state: yield* optimizer.init(start.params), step: 0 }
  yield* attempt(() => {
    checkNotDonated("Train.make", start.state)
    checkStep("Train.make", start.step)
  })
  return { state: start.state, step: start.step }
})

const checkLoss = (loss: number, step: number): Effect.Effect<void, NonFinite> =>
  Number.isFinite(loss)
    ? Effect.void
    : Effect.fail(new NonFinite({ operation: "Train", quantity: "the loss", value: String(loss), step }))

const record = ({ loss, seconds }: TrainStep) =>
  Effect.all([
    Metric.update(steps, 1),
    Metric.update(lossGauge, loss),
    Metric.update(duration, Duration.seconds(seconds))
  ])

/** Does something when a stream is interrupted. */
const onInterrupt =
  <R2>(effect: Effect.Effect<void, never, R2>) =>
  <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R | R2> =>
    Stream.onExit(stream, (exit) => (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause) ? effect : Effect.void))

/** Holds a state, and whatever state comes to stand in its place, as long as the scope is open. */
const hold = <P, S, E, R>(first: Effect.Effect<Snapshot<P, S>, E, R>) =>
  Effect.acquireRelease(
    Effect.map(first, (current) => ({ current })),
    ({ current }) => dispose(current.state)
  )

/** All handles or none, of one and the same step. */
const share = atomically(
  Effect.fnUntraced(function* <P, S>({
    state,
    step
  }: Snapshot<P, S>): Effect.fn.Return<Snapshot<P, S>, BackendError, Tensors> {
    const tensors = yield* Tensors
    const leaves: Array<Tensor> = []
    const own = (leaf: Tensor) => Effect.map(tensors.share(leaf), (handle) => leaves.push(handle))
    yield* Effect.forEach(state.leaves, own, { discard: true }).pipe(Effect.onError(() => dispose(leaves)))
    return { state: withLeaves(state, leaves), step }
  })
)

/**
 * A trainer, alive as long as its scope.
 *
 * Fails like `Optimizer.init`; its steps fail like `Autodiff.valueAndGrad` and `Optimizer.update`, and with the errors
 * of the batches. After a failure or an interruption the trainer still holds the last good state.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { type Scalar, squaredDifference } from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { Optimizer, Train } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const trainer = yield* Train.make({
 *     optimizer: Optimizer.sgd({ stepSize: 0.25 }),
 *     params: { mean: 0 },
 *     loss: ({ mean }: { readonly mean: Scalar }, target: number) => squaredDifference(mean, target),
 *     batches: Stream.make(8, 8, 8)
 *   })
 *   const steps = yield* Stream.runCollect(trainer.steps)
 *   return steps.map(({ loss }) => loss)
 * })
 * // Each step halves the distance, so it quarters the loss.
 * const losses = await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(losses, [64, 16, 4])
 * ```
 */
export const make = Effect.fn("Train.make")(function* <
  P,
  S,
  Batch,
  E = never,
  R = never,
  V = never,
  E2 = never,
  R2 = never
>(
  options: Options<P, S, Batch, E, R, V, E2, R2> & Start<P, S>
): Effect.fn.Return<Trainer<Promoted<P>, S, E | E2, R | R2>, OptimError, Tensors | Scope.Scope> {
  const { batches, checkFinite = false, examples, loss, optimizer } = options
  const held = yield* hold(begin(optimizer, options))
  const valueAndGrad = Autodiff.valueAndGrad(loss)
  // Whoever runs `steps` twice at a time gets one step after the other.
  const turns = yield* Semaphore.make(1)

  /** Updates the state and holds the new one: there is no moment at which nobody does. */
  const update = atomically((grads: Promoted<P>, value: number, { state, step }: Snapshot<Promoted<P>, S>) =>
    Effect.map(optimizer.update(step, grads, state, { donate: true, value }), (next) => {
      held.current = { state: next, step: step + 1 }
    })
  )

  const advance = Effect.fnUntraced(function* (
    batch: Batch
  ): Effect.fn.Return<TrainStep, OptimError | AutodiffError, Tensors> {
    const { state, step } = held.current
    const started = yield* Clock.monotonicTimeNanos
    const { grads, value } = yield* valueAndGrad(optimizer.params(state), batch)
    const checked = checkFinite ? checkLoss(value, step) : Effect.void
    yield* Effect.andThen(checked, update(grads, value, { state, step })).pipe(Effect.onError(() => dispose(grads)))
    const seconds = Number((yield* Clock.monotonicTimeNanos) - started) / 1e9
    return {
      step,
      loss: value,
      learningRate: learningRateOf(optimizer, step, state, held.current.state),
      seconds,
      examplesPerSecond: examples === undefined || seconds === 0 ? undefined : examples(batch) / seconds
    }
  })

  const measured = (batch: Batch) =>
    Effect.suspend(() =>
      advance(batch).pipe(
        Effect.uninterruptible,
        Effect.tap(record),
        Effect.withSpan("Train.step", { attributes: { step: held.current.step } })
      )
    )

  const saver = saverOf(options.checkpoints)
  const saved = (batch: Batch) => Effect.tap(measured(batch), (step) => saver.afterStep(held.current, step))
  return {
    // The yield between two steps lets timers, signals and other fibers have their turn.
    steps: Stream.mapEffect(batches, (batch) => Effect.tap(turns.withPermit(saved(batch)), Effect.yieldNow)).pipe(
      onInterrupt(turns.withPermit(Effect.suspend(() => saver.onInterrupt(held.current))))
    ),
    step: Effect.sync(() => held.current.step),
    params: Effect.sync(() => optimizer.params(held.current.state)),
    state: Effect.sync(() => held.current.state),
    snapshot: Effect.suspend(() => share(held.current))
  }
})
