/**
 * Recipes: all that decides the numbers of a run, besides the rows that it is trained on.
 *
 * A recipe is data and goes into the checkpoint. A run that is resumed takes its recipe from there; what the command line
 * says besides must say the same, except for the number of epochs, for anything else would make it another run.
 */
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Optimizers from "./optimizers.ts"
import * as StepSize from "./stepSize.ts"

/** How a run is made. */
export const Recipe = Schema.Struct({
  optimizer: Optimizers.Parts,
  epochs: Schema.Natural,
  batch: Schema.Int.check(Schema.isGreaterThan(0)),
  seed: Schema.Int
})

export type Recipe = typeof Recipe.Type

/** What the command line says about the recipe. */
export interface Asked {
  readonly optimizer: string | undefined
  readonly options: string | undefined
  readonly chain: string | undefined
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

type Parts = Recipe["optimizer"]

/** Why a recipe cannot be made. */
export type BadRecipe = StepSize.BadSchedule | Optimizers.BadOptimizer

const toJson = Schema.encodeSync(Schema.toCodecJson(Schedules.Schedule))

/** The step size that the command line asks for, given that of the optimizer. */
const supply =
  ({ schedule, stepSize }: Asked): Optimizers.Supply<StepSize.BadSchedule> =>
  (own) =>
    schedule === undefined
      ? Effect.succeed(stepSize ?? own)
      : Effect.map(StepSize.schedule(schedule, stepSize ?? own), toJson)

const rateFlags = ({ schedule, stepSize }: Asked): ReadonlyArray<string> => [
  ...(stepSize === undefined ? [] : ["--step-size"]),
  ...(schedule === undefined ? [] : ["--schedule"])
]

/** Fails if a step size is asked for that stands elsewhere already. */
const checkOpen = (asked: Asked, parts: Parts, place: string) => {
  const flags = rateFlags(asked)
  if (flags.length === 0 || Optimizers.isOpen(parts)) return Effect.void
  const reason =
    Optimizers.ratesOf(parts).length > 0 ? "there is a step size already" : "nothing in it has a learning rate"
  return Effect.fail(
    new Optimizers.BadOptimizer({ place, reason: `${reason}, so ${flags.join(" and ")} does nothing` })
  )
}

/** The parts that are asked for, as they are written: a chain, or an optimizer, by default the one of that name. */
const written = ({ chain, options, optimizer }: Asked, name: string) =>
  chain === undefined
    ? Effect.map(Optimizers.part(optimizer ?? name, options), (part) => [part])
    : Optimizers.chain(chain)

const placeOf = ({ chain, options, optimizer }: Asked, name: string): string => {
  if (chain !== undefined) return `--chain ${chain}`
  return options === undefined ? `--optimizer ${optimizer ?? name}` : `--options ${options}`
}

/** The parts that are asked for, as they are written, and with all step sizes. */
const said = Effect.fnUntraced(function* (
  asked: Asked,
  name: string
): Effect.fn.Return<{ readonly open: Parts; readonly parts: Parts }, BadRecipe, FileSystem.FileSystem> {
  const open = yield* written(asked, name)
  const place = placeOf(asked, name)
  yield* checkOpen(asked, open, place)
  return { open, parts: yield* Optimizers.complete(place, open, supply(asked)) }
})

/** The recipe that is asked for; what is left open comes from the defaults. */
export const make = Effect.fnUntraced(function* (
  asked: Asked
): Effect.fn.Return<Recipe, BadRecipe, FileSystem.FileSystem> {
  const { batch = defaults.batch, epochs = defaults.epochs, seed = defaults.seed } = asked
  const { parts } = yield* said(asked, defaults.optimizer)
  return { optimizer: parts, epochs, batch, seed }
})

/** The recipe by which a saved run goes on. */
export const resume = Effect.fnUntraced(function* (
  asked: Asked,
  { path, recipe }: { readonly path: string; readonly recipe: Recipe }
): Effect.fn.Return<Recipe, BadRecipe | OtherRecipe, FileSystem.FileSystem> {
  const { batch = recipe.batch, epochs = recipe.epochs, seed = recipe.seed } = asked
  const flags = [
    ...(yield* otherOptimizer(asked, recipe.optimizer)),
    ...(batch === recipe.batch ? [] : [`--batch ${recipe.batch}`]),
    ...(seed === recipe.seed ? [] : [`--seed ${recipe.seed}`])
  ]
  return flags.length === 0 ? { ...recipe, epochs } : yield* new OtherRecipe({ path, flags })
})

const asksNothing = (asked: Asked): boolean =>
  asked.chain === undefined &&
  asked.optimizer === undefined &&
  asked.options === undefined &&
  rateFlags(asked).length === 0

/** The flags of the saved optimizer that are contradicted. */
const otherOptimizer = Effect.fnUntraced(function* (
  asked: Asked,
  saved: Parts
): Effect.fn.Return<ReadonlyArray<string>, BadRecipe, FileSystem.FileSystem> {
  if (asksNothing(asked)) return []
  const single = Optimizers.single(saved)
  if (single !== undefined && asked.chain === undefined) return yield* otherPart(asked, single)
  if (asked.chain !== undefined && Equal.equals((yield* said(asked, "")).parts, saved)) return []
  return [single === undefined ? Optimizers.chainFlag(saved) : Optimizers.partFlags(single).optimizer]
})

const otherPart = Effect.fnUntraced(function* (asked: Asked, saved: Optimizers.Part) {
  const {
    open,
    parts: [found = saved]
  } = yield* said(asked, saved.name)
  const asksRate = rateFlags(asked).length > 0 || Optimizers.ratesOf(open).length > 0
  const { optimizer, options, stepSize } = Optimizers.partFlags(saved)
  const isSameRate = Equal.equals(Optimizers.rateOf(found), Optimizers.rateOf(saved))
  const isSameRest = Equal.equals(Optimizers.restOf(found), Optimizers.restOf(saved))
  return [
    ...(found.name === saved.name ? [] : [optimizer]),
    ...(asked.options === undefined || isSameRest ? [] : [options]),
    ...(!asksRate || isSameRate ? [] : [stepSize])
  ]
})

/** A recipe in words; a short one leaves out the options. */
export const describe = ({ batch, epochs, optimizer }: Recipe, { short = false } = {}): string =>
  [
    short ? Optimizers.namesOf(optimizer) : Optimizers.inWords(optimizer),
    ...Optimizers.ratesInWords(optimizer),
    `batches of ${batch}`,
    `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`
  ].join(", ")
