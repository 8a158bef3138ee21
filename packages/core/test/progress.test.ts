/** Progress: what a run of steps prints, on a terminal and elsewhere, compared letter by letter. */
import { Train } from "@optim/core"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as TestClock from "effect/testing/TestClock"

/** Where progress is shown: a terminal or not, and what arrived there. */
const screen = (isTerminal: boolean, display?: Terminal.Terminal["display"]) => {
  const shown: Array<string> = []
  const terminal = Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.die("progress needs no size"),
    readInput: Effect.die("progress reads nothing"),
    readLine: Effect.die("progress reads nothing"),
    display: display ?? ((text) => Effect.sync(() => void shown.push(text)))
  })
  const stdio = Stdio.layerTest({ stdoutIsTerminal: Effect.succeed(isTerminal) })
  return { shown, layer: Layer.merge(Layer.succeed(Terminal.Terminal, terminal), stdio) }
}

const stepOf = (step: number, measured: Partial<Train.TrainStep> = {}): Train.TrainStep => ({
  step,
  loss: 1 / (step + 1),
  learningRate: 0.1,
  seconds: 0.02,
  examplesPerSecond: 1600.4,
  ...measured
})

/** Steps that come every so many milliseconds. */
const every = (millis: number, steps: ReadonlyArray<Train.TrainStep>) =>
  Stream.mapEffect(Stream.fromIterable(steps), (step) => Effect.as(TestClock.adjust(millis), step))

const many = (count: number): ReadonlyArray<Train.TrainStep> => Array.from({ length: count }, (_, step) => stepOf(step))

const erase = "\u001b[K"

it.effect("a terminal shows a bar that is redrawn, at most every 50 ms, and ends with the last step", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(true)
    const steps = every(20, many(5)).pipe(Train.progress({ total: 10 }))
    const passed = yield* Stream.runCollect(steps).pipe(Effect.provide(layer))
    assert.deepStrictEqual(passed, many(5))
    assert.deepStrictEqual(shown, [
      `\rtrain  ██░░░░░░░░░░░░░░░░░░  1/10  loss 1  rate 0.1  1600 examples/s${erase}`,
      `\rtrain  ████████░░░░░░░░░░░░  4/10  loss 0.25  rate 0.1  1600 examples/s${erase}`,
      `\rtrain  ██████████░░░░░░░░░░  5/10  loss 0.2  rate 0.1  1600 examples/s${erase}`,
      "\n"
    ])
  })
)

it.effect("elsewhere it prints plain lines, at most one a second, and the last step", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(false)
    const steps = every(400, many(5)).pipe(Train.progress({ total: 10, label: "fit" }))
    yield* Stream.runDrain(steps).pipe(Effect.provide(layer))
    assert.deepStrictEqual(shown, [
      "fit  ██░░░░░░░░░░░░░░░░░░  1/10  loss 1  rate 0.1  1600 examples/s\n",
      "fit  ████████░░░░░░░░░░░░  4/10  loss 0.25  rate 0.1  1600 examples/s\n",
      "fit  ██████████░░░░░░░░░░  5/10  loss 0.2  rate 0.1  1600 examples/s\n"
    ])
  })
)

it.effect("lines come as often as asked, and a step is not printed twice", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(false)
    const steps = every(400, many(5)).pipe(Train.progress({ lineEverySeconds: 0.8 }))
    yield* Stream.runDrain(steps).pipe(Effect.provide(layer))
    assert.deepStrictEqual(shown, [
      "train  step 1  loss 1  rate 0.1  1600 examples/s\n",
      "train  step 3  loss 0.3333  rate 0.1  1600 examples/s\n",
      "train  step 5  loss 0.2  rate 0.1  1600 examples/s\n"
    ])
  })
)

it.effect("numbers have four digits, and what was not measured is left out", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(false)
    const nothing = { learningRate: undefined, examplesPerSecond: undefined }
    const steps = [
      stepOf(0, { ...nothing, loss: 1234567.8 }),
      stepOf(1, { ...nothing, loss: 0.0000123456 }),
      stepOf(2, { ...nothing, loss: Number.NaN }),
      stepOf(3, { loss: Number.POSITIVE_INFINITY, learningRate: 1 / 3, examplesPerSecond: 0.4 })
    ]
    yield* every(1000, steps).pipe(Train.progress(), Stream.runDrain, Effect.provide(layer))
    assert.deepStrictEqual(shown, [
      "train  step 1  loss 1235000\n",
      "train  step 2  loss 0.00001235\n",
      "train  step 3  loss NaN\n",
      "train  step 4  loss Infinity  rate 0.3333  0 examples/s\n"
    ])
  })
)

it.effect("a run that is longer than announced has a full bar, and one of no length has none", () =>
  Effect.gen(function* () {
    const shownWith = Effect.fnUntraced(function* (total: number, step: number) {
      const { layer, shown } = screen(false)
      const only = stepOf(step, { learningRate: undefined, examplesPerSecond: undefined, loss: 0 })
      yield* Stream.make(only).pipe(Train.progress({ total }), Stream.runDrain, Effect.provide(layer))
      return shown
    })
    assert.deepStrictEqual(yield* shownWith(3, 0), ["train  ██████░░░░░░░░░░░░░░  1/3  loss 0\n"])
    assert.deepStrictEqual(yield* shownWith(3, 2), ["train  ████████████████████  3/3  loss 0\n"])
    assert.deepStrictEqual(yield* shownWith(3, 4), ["train  ████████████████████  5/3  loss 0\n"])
    assert.deepStrictEqual(yield* shownWith(0, 0), ["train  step 1  loss 0\n"])
  })
)

it.effect("no steps print nothing but the end of the line", () =>
  Effect.gen(function* () {
    for (const isTerminal of [true, false]) {
      const { layer, shown } = screen(isTerminal)
      yield* Stream.empty.pipe(Train.progress(), Stream.runDrain, Effect.provide(layer))
      assert.deepStrictEqual(shown, isTerminal ? ["\n"] : [])
    }
  })
)

it.effect("a run that fails or is cut short shows its last step", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(false)
    const failing = Stream.concat(every(10, many(2)), Stream.fail("over"))
    const exit = yield* failing.pipe(Train.progress(), Stream.runDrain, Effect.provide(layer), Effect.exit)
    assert.deepStrictEqual(exit, Exit.fail("over"))
    yield* every(10, many(9)).pipe(Train.progress(), Stream.take(2), Stream.runDrain, Effect.provide(layer))
    const two = [
      "train  step 1  loss 1  rate 0.1  1600 examples/s\n",
      "train  step 2  loss 0.5  rate 0.1  1600 examples/s\n"
    ]
    assert.deepStrictEqual(shown, [...two, ...two])
  })
)

it.effect("a terminal that is gone does not end the training", () =>
  Effect.gen(function* () {
    const gone = PlatformError.systemError({ _tag: "BadResource", module: "Terminal", method: "display" })
    const { layer } = screen(true, () => Effect.fail(gone))
    const steps = every(100, many(3)).pipe(Train.progress({ total: 3 }), Stream.runCollect)
    assert.deepStrictEqual(yield* Effect.provide(steps, layer), many(3))
  })
)

it.effect("each run of a stream has a progress of its own", () =>
  Effect.gen(function* () {
    const { layer, shown } = screen(false)
    const steps = Stream.make(stepOf(0)).pipe(Train.progress())
    yield* Effect.provide(Effect.andThen(Stream.runDrain(steps), Stream.runDrain(steps)), layer)
    assert.deepStrictEqual(shown, [
      "train  step 1  loss 1  rate 0.1  1600 examples/s\n",
      "train  step 1  loss 1  rate 0.1  1600 examples/s\n"
    ])
  })
)
