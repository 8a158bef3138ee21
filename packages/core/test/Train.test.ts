import { Autodiff, Optimizer, type OptimizerState, Tensors, Train } from "@optim/core"
import * as Schedules from "@optim/schedules"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { backends } from "./support/backends.ts"
import { catalogue, typical } from "./support/catalogue.ts"
import { leavesNothing } from "./support/memory.ts"
import { contents, values } from "./support/numbers.ts"

const { dispose, scoped } = Tensors

interface Line {
  readonly w: Tensor1D
  readonly b: Scalar
}

type Batch = readonly [x: ReadonlyArray<number>, y: number]

/** (w·x + b − y)² */
const loss = ({ b, w }: Line, [x, y]: Batch): Tensor =>
  tf.square(tf.sub(tf.add(tf.sum(tf.mul(w, tf.tensor1d([...x]))), b), y))

const batches: ReadonlyArray<Batch> = [
  [[1, 2], 3],
  [[-1, 0.5], 1],
  [[0.25, 4], -2],
  [[3, -3], 0],
  [[0, 1], 5],
  [[2, 2], 2]
]

const point = { w: Float32Array.of(0.5, -0.25), b: 0.125 }

const stepSize = Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 2, decayRate: 0.5 })

// --- laws --------------------------------------------------------------------------------------------------------

for (const backend of backends) {
  layer(backend.layer)(`laws on ${backend.name}`, (it) => {
    for (const row of catalogue) {
      it.effect(`${row.name} resumes from a snapshot as if nothing had been, after any number of steps`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const optimizer = typical(row)
            const from = (batches: ReadonlyArray<Batch>) => ({ optimizer, loss, batches: Stream.fromIterable(batches) })
            const whole = yield* Train.make({ ...from(batches), params: point })
            const losses = (yield* Stream.runCollect(whole.steps)).map(({ loss }) => loss)
            const { state: expected } = yield* saved(whole)
            for (let split = 0; split <= batches.length; split++) {
              const first = yield* Train.make({ ...from(batches.slice(0, split)), params: point })
              const before = yield* Stream.runCollect(first.steps)
              const second = yield* Train.make({ ...from(batches.slice(split)), ...(yield* first.snapshot) })
              const after = yield* Stream.runCollect(second.steps)
              assert.deepStrictEqual(
                [...before, ...after].map(({ loss }) => loss),
                losses
              )
              assert.deepStrictEqual(yield* contents((yield* saved(second)).state), yield* contents(expected))
              assert.strictEqual(yield* second.step, batches.length)
            }
          })
        )
      )
    }

    it.effect("training is differentiating and updating", () =>
      leavesNothing(
        Effect.gen(function* () {
          const optimizer = Optimizer.adam({ stepSize })
          const trainer = yield* Train.make({ optimizer, params: point, loss, batches: Stream.fromIterable(batches) })
          const steps = yield* Stream.runCollect(trainer.steps)
          let state = yield* scoped(optimizer.init(point))
          for (const [step, batch] of batches.entries()) {
            const { grads, value } = yield* scoped(Autodiff.valueAndGrad(loss)(optimizer.params(state), batch))
            assert.strictEqual(steps[step]?.loss, value)
            state = yield* scoped(optimizer.update(step, grads, state))
          }
          assert.deepStrictEqual(yield* contents(yield* trainer.params), yield* contents(optimizer.params(state)))
        })
      )
    )
  })
}

/** A snapshot that ends with the scope. */
const saved = <P, S, E, R>(trainer: Train.Trainer<P, S, E, R>) =>
  Effect.acquireRelease(trainer.snapshot, ({ state }) => dispose(state))

// --- cases -------------------------------------------------------------------------------------------------------

const optimizer = Optimizer.sgd({ stepSize })

/** A trainer of the line on these batches, with what else is given. */
const trainerOf = <E = never>(
  given: Stream.Stream<Batch, E> = Stream.fromIterable(batches),
  options: Partial<Train.Options<typeof point, Tensor, Batch, E, never>> = {}
) => Train.make({ optimizer, params: point, loss, batches: given, ...options })

/** A clock on which every reading of elapsed time comes half a second after the last, while the time of day goes back. */
const ticking = Effect.map(Clock.Clock, (clock): Clock.Clock => {
  let nanos = 0n
  let day = 10n ** 18n
  return Object.assign(Object.create(clock) as Clock.Clock, {
    monotonicTimeNanos: Effect.sync(() => (nanos += 500_000_000n)),
    currentTimeNanos: Effect.sync(() => (day -= 1_000_000_000n))
  })
})

for (const backend of backends) {
  layer(backend.layer)(`cases on ${backend.name}`, (it) => {
    it.effect("steps say what was measured", () =>
      Effect.gen(function* () {
        const trainer = yield* trainerOf(Stream.make(...batches.slice(0, 2)), { examples: ([x]) => x.length })
        const steps = yield* Effect.provideService(Stream.runCollect(trainer.steps), Clock.Clock, yield* ticking)
        assert.deepStrictEqual(
          steps.map((step) => ({ ...step, loss: undefined })),
          [
            { step: 0, loss: undefined, learningRate: 0.1, seconds: 0.5, examplesPerSecond: 4 },
            { step: 1, loss: undefined, learningRate: 0.1 * 0.5 ** 0.5, seconds: 0.5, examplesPerSecond: 4 }
          ]
        )
        // 0.5·1 − 0.25·2 + 0.125 = 0.125, and (0.125 − 3)² = 8.265625
        assert.strictEqual(steps[0]?.loss, 8.265625)
      })
    )

    it.effect("no examples per second without examples, or in no time", () =>
      Effect.gen(function* () {
        const one = Stream.make(...batches.slice(0, 1))
        const counting = yield* trainerOf(one, { examples: () => 8 })
        const still = yield* Stream.runCollect(counting.steps)
        assert.deepInclude(still[0], { seconds: 0, examplesPerSecond: undefined })
        const silent = yield* trainerOf(one)
        const steps = yield* Effect.provideService(Stream.runCollect(silent.steps), Clock.Clock, yield* ticking)
        assert.deepInclude(steps[0], { seconds: 0.5, examplesPerSecond: undefined })
      })
    )

    it.effect("the learning rate is that of a number, a schedule or a function, if there is one", () =>
      Effect.gen(function* () {
        const rates = Effect.fnUntraced(function* (optimizer: Optimizer.Optimizer<Tensor>) {
          const trainer = yield* trainerOf(Stream.make(...batches.slice(0, 3)), { optimizer })
          return (yield* Stream.runCollect(trainer.steps)).map(({ learningRate }) => learningRate)
        })
        const piecewise = Schedules.piecewiseConstant({ boundaries: [1], values: [0.5, 0.25] })
        assert.deepStrictEqual(yield* rates(Optimizer.sgd({ stepSize: 0.5 })), [0.5, 0.5, 0.5])
        assert.deepStrictEqual(yield* rates(Optimizer.sgd({ stepSize: piecewise })), [0.5, 0.5, 0.25])
        assert.deepStrictEqual(yield* rates(Optimizer.sgd({ stepSize: (step) => step / 8 })), [0, 0.125, 0.25])
        const still = Optimizer.leafwise(() => ({ init: (x) => x, update: (_, __, x) => x, params: (x) => x }))
        assert.deepStrictEqual(yield* rates(still()), [undefined, undefined, undefined])
      })
    )

    it.effect("a snapshot and its trainer do not know each other", () =>
      leavesNothing(
        Effect.gen(function* () {
          const trainer = yield* trainerOf()
          const first = yield* trainer.snapshot
          const before = yield* contents(first.state)
          yield* Stream.runDrain(Stream.take(trainer.steps, 2))
          assert.deepStrictEqual([first.step, yield* contents(first.state)], [0, before])
          const second = yield* saved(trainer)
          assert.strictEqual(second.step, 2)
          assert.deepStrictEqual(yield* contents(second.state), yield* contents(yield* trainer.params))
          yield* dispose(first.state)
          yield* Stream.runDrain(Stream.take(trainer.steps, 1))
          assert.strictEqual(yield* trainer.step, 3)
          const third = yield* Effect.scoped(Effect.flatMap(trainerOf(), (trainer) => trainer.snapshot))
          assert.deepStrictEqual(yield* contents(third.state), before)
          yield* dispose(third.state)
        })
      )
    )

    it.effect("a trainer is made of a good state and step", () =>
      Effect.gen(function* () {
        const start = (state: OptimizerState.OptimizerState<Line, Tensor>, step: number) =>
          Train.make({ optimizer, loss, batches: Stream.empty, state, step })
        const state = yield* scoped(optimizer.init(point))
        for (const step of [-1, 0.5, Number.NaN]) {
          assert.deepInclude(yield* Effect.flip(start(state, step)), { _tag: "InvalidStep", operation: "Train.make" })
        }
        const grads = { w: Float32Array.of(0, 0), b: 0 }
        yield* scoped(optimizer.update(7, grads, state, { donate: true }))
        const error = yield* Effect.flip(start(state, 0))
        assert.deepInclude(error, { _tag: "DonatedStateUsed", operation: "Train.make", donatedAtStep: 7 })
        const invalid = yield* Effect.flip(
          Train.make({ optimizer, loss, batches: Stream.empty, params: { w: 1, b: "0" } as never })
        )
        assert.strictEqual(invalid._tag, "InvalidLeaf")
      })
    )

    it.effect("a state that is given is taken over", () =>
      Effect.gen(function* () {
        const state = yield* optimizer.init(point)
        yield* Effect.scoped(Train.make({ optimizer, loss, batches: Stream.empty, state, step: 3 }))
        assert.isTrue(state.leaves.every(({ isDisposed }) => isDisposed))
      })
    )

    it.effect("whatever fails, the trainer holds its last good state and goes on from it", () =>
      leavesNothing(
        Effect.gen(function* () {
          const good = yield* trainerOf()
          yield* Stream.runDrain(Stream.take(good.steps, 2))
          const expected = yield* contents(yield* good.params)
          const two = Stream.make(...batches.slice(0, 2))
          const broken: Batch = [[1, 2, 3], 0]
          const failing = {
            "batches over": Stream.concat(two, Stream.fail("batches over" as const)),
            LossFailed: Stream.concat(two, Stream.make(broken)),
            NonFinite: Stream.concat(two, Stream.fromIterable<Batch>([[[Infinity, 1], 0]]))
          }
          for (const [tag, batches] of Object.entries(failing)) {
            const trainer = yield* trainerOf<string>(batches, { checkFinite: true })
            const error = yield* Effect.flip(Stream.runDrain(trainer.steps))
            assert.strictEqual(typeof error === "string" ? error : error._tag, tag)
            assert.strictEqual(yield* trainer.step, 2)
            assert.deepStrictEqual(yield* contents(yield* trainer.params), expected)
            yield* Stream.runDrain(Stream.take(trainer.steps, 1))
            assert.strictEqual(yield* trainer.step, 3)
          }
        })
      )
    )

    it.effect("a step size that is not finite ends the training before the step", () =>
      leavesNothing(
        Effect.gen(function* () {
          const optimizer = Optimizer.sgd({ stepSize: (step) => (step < 2 ? 0.1 : 1 / 0) })
          const trainer = yield* trainerOf(undefined, { optimizer })
          const error = yield* Effect.flip(Stream.runDrain(trainer.steps))
          assert.strictEqual(
            error.message,
            "Scalar.schedule: the step size is Infinity at step 2, expected a finite number"
          )
          assert.strictEqual(yield* trainer.step, 2)
        })
      )
    )

    it.effect("a loss that is not finite is an error if asked for, else it goes on", () =>
      Effect.gen(function* () {
        const given = Stream.fromIterable<Batch>([...batches.slice(0, 1), [[1, Number.NaN], 0]])
        const careful = yield* trainerOf(given, { checkFinite: true })
        const error = yield* Effect.flip(Stream.runDrain(careful.steps))
        assert.strictEqual(error.message, "Train: the loss is NaN at step 1, expected a finite number")
        const careless = yield* trainerOf(given)
        yield* Stream.runDrain(careless.steps)
        assert.deepStrictEqual(yield* values(yield* careless.params), [[NaN], [NaN, NaN]])
      })
    )

    it.effect("every run of the steps draws the batches anew and goes on counting", () =>
      Effect.gen(function* () {
        const trainer = yield* trainerOf(Stream.make(...batches.slice(0, 2)))
        const first = yield* Stream.runCollect(trainer.steps)
        const second = yield* Stream.runCollect(trainer.steps)
        assert.deepStrictEqual(
          [...first, ...second].map(({ step }) => step),
          [0, 1, 2, 3]
        )
      })
    )

    it.effect("steps count in metrics", () =>
      Effect.gen(function* () {
        const trainer = yield* trainerOf()
        const measured = Effect.gen(function* () {
          const steps = yield* Stream.runCollect(Stream.take(trainer.steps, 3))
          const metrics = yield* Metric.snapshot
          return { steps, states: new Map(metrics.map(({ id, state }) => [id, state])) }
        })
        const { states, steps } = yield* measured.pipe(
          Effect.provideService(Clock.Clock, yield* ticking),
          Effect.provideService(Metric.MetricRegistry, new Map())
        )
        assert.deepInclude(states.get("optim_train_steps"), { count: 3 })
        assert.deepInclude(states.get("optim_train_loss"), { value: steps[2]?.loss ?? Number.NaN })
        assert.deepInclude(states.get("optim_train_step_duration"), { count: 3, min: 500, max: 500, sum: 1500 })
      })
    )

    it.effect("every step is a span with its number, around gradient and update", () =>
      Effect.gen(function* () {
        const spans: Array<Tracer.Span> = []
        const tracer = Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            spans.push(span)
            return span
          }
        })
        const trainer = yield* trainerOf(Stream.make(...batches.slice(0, 2)))
        yield* Effect.provideService(Stream.runDrain(trainer.steps), Tracer.Tracer, tracer)
        const parent = (span: Tracer.Span) => (Option.getOrUndefined(span.parent) as Tracer.Span | undefined)?.name
        const steps = spans.filter(({ name }) => name === "Train.step")
        assert.deepStrictEqual(
          steps.map(({ attributes, status }) => [attributes.get("step"), status._tag]),
          [
            [0, "Ended"],
            [1, "Ended"]
          ]
        )
        const within = spans.filter((span) => parent(span) === "Train.step").map(({ name }) => name)
        const each = ["Autodiff.valueAndGrad", "Optimizer.update"]
        assert.deepStrictEqual(within, [...each, ...each])
      })
    )
  })
}
