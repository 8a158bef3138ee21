/**
 * Recipes: all that decides the numbers of a run, besides the rows that it is trained on.
 *
 * A recipe is data and goes into the checkpoint. A run that is resumed takes from there what the command line leaves
 * out; of what it does say, only the number of epochs may differ, for anything else would make it another run.
 */
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Optimizers from "./optimizers.ts"
import * as StepSize from "./stepSize.ts"

/** How a run is made. */
export const Recipe = Schema.Struct({
  optimizer: Schema.Literals(Optimizers.names),
  stepSize: Schema.Union([Schema.Finite.check(Schema.isGreaterThan(0)), Schedules.Schedule]),
  epochs: Schema.Natural,
  batch: Schema.Int.check(Schema.isGreaterThan(0)),
  seed: Schema.Int
})

export type Recipe = typeof Recipe.Type

/** What the command line says about the recipe. */
export interface Asked {
  readonly optimizer: Optimizers.OptimizerName | undefined
  readonly stepSize: number | undefined
  readonly schedule: string | undefined
  readonly epochs: number | undefined
  readonly batch: number | undefined
  readonly seed: number | undefined
}

/** What is done when nothing is asked for. */
export const defaults = { optimizer: "adam", epochs: 30, batch: 32, seed: 0 } as const

/** The command line contradicts the checkpoint. */
export class OtherRecipe extends Schema.TaggedError<OtherRecipe>()("OtherRecipe", {
  path: Schema.String,
  flags: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.path} comes from a run with ${this.flags.join(", ")}: resume it so, or train anew`
  }
}

/** The recipe that is asked for; what is left open comes from `base`, then from the defaults. */
export const make = Effect.fnUntraced(function* (
  asked: Asked,
  base: Partial<Recipe> = {}
): Effect.fn.Return<Recipe, StepSize.BadSchedule> {
  const optimizer = asked.optimizer ?? base.optimizer ?? defaults.optimizer
  return {
    optimizer,
    stepSize: (yield* stepSize(asked, optimizer)) ?? base.stepSize ?? Optimizers.defaultStepSize(optimizer),
    epochs: asked.epochs ?? base.epochs ?? defaults.epochs,
    batch: asked.batch ?? base.batch ?? defaults.batch,
    seed: asked.seed ?? base.seed ?? defaults.seed
  }
})

/** The recipe by which a saved run goes on. */
export const resume = Effect.fnUntraced(function* (
  asked: Asked,
  { path, recipe }: { readonly path: string; readonly recipe: Recipe }
): Effect.fn.Return<Recipe, StepSize.BadSchedule | OtherRecipe> {
  const next = yield* make(asked, recipe)
  const fixed = ["optimizer", "stepSize", "batch", "seed"] as const
  const differing = fixed.filter((field) => !Equal.equals(next[field], recipe[field]))
  if (differing.length === 0) return next
  return yield* new OtherRecipe({ path, flags: differing.map((field) => flags(recipe)[field]) })
})

const stepSize = ({ schedule, stepSize }: Asked, optimizer: Optimizers.OptimizerName) => {
  if (schedule === undefined) return Effect.succeed(stepSize)
  return StepSize.schedule(schedule, stepSize ?? Optimizers.defaultStepSize(optimizer))
}

/** The parts of a recipe as they stand on the command line. */
const flags = ({ batch, optimizer, seed, stepSize }: Recipe) => ({
  optimizer: `--optimizer ${optimizer}`,
  stepSize: typeof stepSize === "number" ? `--step-size ${stepSize}` : `--schedule '${JSON.stringify(stepSize)}'`,
  batch: `--batch ${batch}`,
  seed: `--seed ${seed}`
})

/** A recipe in words. */
export const describe = ({ batch, epochs, optimizer, stepSize }: Recipe): string => {
  const rate = typeof stepSize === "number" ? `step size ${stepSize}` : `step size by ${stepSize._tag}`
  return `${optimizer}, ${rate}, batches of ${batch}, ${epochs} ${epochs === 1 ? "epoch" : "epochs"}`
}
