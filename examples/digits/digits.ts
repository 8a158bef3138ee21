/**
 * The whole program: options in; a trained model, its accuracy, its checkpoint and its loss curve out.
 */
import type { Train } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { lossCurve } from "./chart/lossCurve.ts"
import * as Checkpoint from "./checkpoint.ts"
import * as Data from "./data/load.ts"
import { accuracy } from "./evaluate.ts"
import * as Files from "./files.ts"
import type { Options } from "./options.ts"
import * as Recipe from "./recipe.ts"
import { totalSteps, train } from "./train.ts"

const backends = { wasm: Wasm.layer, cpu: Cpu.layer }

/** Trains, tests and reports. */
export const digits = Effect.fnUntraced(
  function* (options: Options) {
    const { checkpoint, plot, resume } = options
    yield* Effect.forEach([plot, checkpoint ?? plot], Files.ensureWritable)
    const saved = resume === undefined ? undefined : yield* Checkpoint.read(resume)
    const recipe = yield* saved === undefined ? Recipe.make(options.recipe) : Recipe.resume(options.recipe, saved)
    const data = yield* Data.load(options.data, recipe.seed)
    const run = { recipe, data, saved, checkpoint }
    yield* Console.log(Data.describe(data))
    yield* Console.log(`${Recipe.describe(recipe)}: ${totalSteps(run)} steps on ${options.backend}`)

    const { params, steps } = yield* train(run)
    yield* Console.log(`test accuracy ${percent(yield* accuracy(params, data.test))}`)
    yield* Console.log(pace(steps))
    if (steps.length === 0) return
    yield* Files.write(plot, lossCurve(steps, { title: Recipe.describe(recipe, { short: true }) }))
    yield* Console.log(`loss curve in ${plot}`)
  },
  Effect.scoped,
  (program, { backend }) => Effect.provide(program, backends[backend])
)

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

const pace = (steps: ReadonlyArray<Train.TrainStep>): string => {
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0)
  if (steps.length === 0) return "no steps were left to make"
  return `${((1000 * seconds) / steps.length).toFixed(2)} ms per step, ${seconds.toFixed(1)} s for ${steps.length} steps`
}
