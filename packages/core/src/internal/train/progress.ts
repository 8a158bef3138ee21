/**
 * Progress of a training run on the terminal.
 *
 * On a terminal one line is redrawn in place, a bar when the total is known; elsewhere (a pipe, a log file) plain lines
 * are printed now and then. Both go by the clock, so that fast steps do not spend their time on output.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import type { TrainStep } from "../../Train.ts"

/** How progress is shown. */
export interface ProgressOptions {
  /** How many steps the run will have made in the end; without it there is no bar. */
  readonly total?: number | undefined
  /** What stands in front. Default "train". */
  readonly label?: string | undefined
  /** The least time between two plain lines, in seconds. Default 1. */
  readonly lineEverySeconds?: number | undefined
}

const barWidth = 20

const redrawMillis = 50

const bar = (done: number, total: number): string => {
  const filled = Math.min(barWidth, Math.floor((barWidth * done) / total))
  return "█".repeat(filled) + "░".repeat(barWidth - filled)
}

const significant = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value)

/** One line about a step, without an end of line. */
export const line = (
  { examplesPerSecond, learningRate, loss, step }: TrainStep,
  { label = "train", total }: ProgressOptions
): string =>
  [
    label,
    ...(total === undefined || total <= 0 ? [`step ${step + 1}`] : [bar(step + 1, total), `${step + 1}/${total}`]),
    `loss ${significant(loss)}`,
    ...(learningRate === undefined ? [] : [`rate ${significant(learningRate)}`]),
    ...(examplesPerSecond === undefined ? [] : [`${Math.round(examplesPerSecond)} examples/s`])
  ].join("  ")

/** Back to the start of the line, and the rest of the old line erased. */
const redraw = (text: string): string => `\r${text}\u001b[K`

const show = Effect.fnUntraced(function* (options: ProgressOptions) {
  const terminal = yield* Terminal.Terminal
  const onTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const pause = onTerminal ? redrawMillis : (options.lineEverySeconds ?? 1) * 1000
  let last = Number.NEGATIVE_INFINITY
  let pending: string | undefined
  // Progress is a courtesy: a terminal that refuses it must not end the training.
  const print = (text: string) => Effect.ignore(terminal.display(onTerminal ? redraw(text) : `${text}\n`))
  const step = Effect.fnUntraced(function* (measured: TrainStep) {
    pending = line(measured, options)
    const now = Number(yield* Clock.monotonicTimeNanos) / 1e6
    if (now - last < pause) return
    last = now
    yield* print(pending)
    pending = undefined
  })
  const end = Effect.suspend(() => {
    const rest = pending === undefined ? Effect.void : print(pending)
    return onTerminal ? Effect.andThen(rest, Effect.ignore(terminal.display("\n"))) : rest
  })
  return { step, end }
})

/**
 * Shows the steps of a stream as they pass: a bar on a terminal, plain lines elsewhere. The steps go through unchanged.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { Train } from "@optim/core"
 *
 * const step = { step: 0, loss: 0.5, learningRate: 0.1, seconds: 0.01, examplesPerSecond: undefined }
 * const shown = Stream.make(step).pipe(Train.progress({ total: 1 }), Stream.runCollect, Effect.provide(NodeServices.layer))
 * assert.deepStrictEqual(await Effect.runPromise(shown), [step])
 * ```
 */
export const progress =
  (options: ProgressOptions = {}) =>
  <E, R>(steps: Stream.Stream<TrainStep, E, R>): Stream.Stream<TrainStep, E, R | Terminal.Terminal | Stdio.Stdio> =>
    Stream.unwrap(Effect.map(show(options), ({ end, step }) => steps.pipe(Stream.tap(step), Stream.ensuring(end))))
