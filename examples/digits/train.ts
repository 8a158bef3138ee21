/**
 * The training of a run, from its first step or the one after its checkpoint to its last.
 *
 * The loop itself is `Train` of @optim/core. What is decided here: where the run starts, which rows it sees, and that it
 * is saved at its end and when it is interrupted.
 */
import { Tensors, Train } from "@optim/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./checkpoint.ts"
import * as Batches from "./data/batches.ts"
import type { Data } from "./data/load.ts"
import * as Model from "./model.ts"
import * as Optimizers from "./optimizers.ts"
import type { Recipe } from "./recipe.ts"

/** What is trained and how, where it goes on from, and where it is kept. */
export interface Run {
  readonly recipe: Recipe
  readonly data: Data
  readonly saved: Checkpoint.Saved | undefined
  readonly checkpoint: string | undefined
}

/** The checkpoint is further than the run is asked to go. */
class AlreadyPast extends Schema.TaggedError<AlreadyPast>()("AlreadyPast", {
  path: Schema.String,
  step: Schema.Int,
  epochs: Schema.Int,
  total: Schema.Int
}) {
  override get message(): string {
    return `${this.path} is at step ${this.step}, past --epochs ${this.epochs}, which end at step ${this.total}`
  }
}

/** How many steps the run has when it is complete. */
export const totalSteps = ({ data, recipe }: Run): number =>
  recipe.epochs * Batches.stepsPerEpoch(data.train.rows, recipe.batch)

/** Where the run starts: at parameters made from the seed, or at the state in its checkpoint. */
const startOf = Effect.fnUntraced(function* (run: Run, optimizer: Optimizers.AnyOptimizer) {
  const { data, recipe, saved } = run
  const params = yield* Tensors.scoped(Model.init(data.train, recipe.seed))
  if (saved === undefined) return { params, step: 0 }
  const {
    path,
    checkpoint: { step }
  } = saved
  const total = totalSteps(run)
  if (step > total) return yield* new AlreadyPast({ path, step, epochs: recipe.epochs, total })
  return yield* Checkpoint.restore(saved, { optimizer, params, rows: data.fingerprint })
})

/** Trains until the last epoch is over: gives the steps that were made, and the parameters, which live in the scope. */
export const train = Effect.fnUntraced(function* (run: Run) {
  const { checkpoint, data, recipe } = run
  const optimizer = Optimizers.make(recipe.optimizer)
  const start = yield* startOf(run, optimizer)
  const trainer = yield* Train.make({
    ...start,
    optimizer,
    loss: Model.loss,
    batches: Batches.make(data.train, { ...recipe, size: recipe.batch, from: start.step }),
    examples: ({ rows }) => rows,
    checkFinite: true
  })

  const save = Effect.fnUntraced(function* (path: string) {
    const snapshot = yield* Tensors.scoped(trainer.snapshot)
    yield* Checkpoint.save(path, { optimizer, ...snapshot }, { recipe, rows: data.fingerprint })
    yield* Console.log(`saved step ${snapshot.step} as ${path}`)
  }, Effect.scoped)
  const saveIfAsked = checkpoint === undefined ? Effect.void : save(checkpoint)

  const steps = yield* trainer.steps.pipe(
    Train.progress({ total: totalSteps(run) }),
    Stream.runCollect,
    Effect.onInterrupt(() => saveIfAsked)
  )
  yield* saveIfAsked
  return { steps, params: yield* trainer.params }
})
