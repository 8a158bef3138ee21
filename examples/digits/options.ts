/**
 * The command line: its flags, and the rules that no flag knows alone.
 *
 * What is left out is `undefined` and not yet a default, because a resumed run takes it from its checkpoint.
 */
import type { Command } from "effect/cli"
import { CliError, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import { names as optimizers } from "./optimizers.ts"
import { defaults } from "./recipe.ts"
import { names as schedules } from "./stepSize.ts"

const file = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("FILE"), Flag.withDescription(description), Flag.withDefault(undefined))

const integer = (name: string, least: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (value) => value >= least,
      () => `an integer, ${least} or more`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.withDefault(undefined)
  )

/** All flags of the command. */
export const flags = {
  data: {
    train: file("train", "CSV with a header to train on; without it the program draws digits of its own"),
    test: file("test", "CSV to test on; without it a fifth of the training rows is kept aside"),
    label: Flag.String("label").pipe(
      Flag.withMetavar("COLUMN"),
      Flag.withDescription("the column of integers that tell the classes (default: label)"),
      Flag.withDefault(undefined)
    )
  },
  recipe: {
    optimizer: Flag.String("optimizer").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription(`the optimizer (default: ${defaults.optimizer}) (names: ${optimizers.join(", ")})`),
      Flag.withDefault(undefined)
    ),
    options: Flag.String("options").pipe(
      Flag.withMetavar("JSON"),
      Flag.withDescription("what the optimizer is made with, as a JSON object (default: what the library says)"),
      Flag.withDefault(undefined)
    ),
    chain: Flag.String("chain").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("instead of an optimizer: a list of transforms with their options, in a file or as JSON"),
      Flag.withDefault(undefined)
    ),
    stepSize: Flag.Finite("step-size").pipe(
      Flag.filter(
        (value) => value > 0,
        () => "a number above 0"
      ),
      Flag.withMetavar("RATE"),
      Flag.withDescription("the step size, where the schedule begins (default: what suits the optimizer)"),
      Flag.withDefault(undefined)
    ),
    schedule: Flag.String("schedule").pipe(
      Flag.withMetavar("SCHEDULE"),
      Flag.withDescription(
        `how the step size changes: NAME, NAME:field=value,… or JSON (default: constant) (names: ${schedules.join(", ")})`
      ),
      Flag.withDefault(undefined)
    ),
    epochs: integer("epochs", 0, `how often each row is seen (default: ${defaults.epochs})`),
    batch: integer("batch", 1, `rows per step (default: ${defaults.batch})`),
    seed: integer("seed", 0, `the seed of all that is left to chance (default: ${defaults.seed})`)
  },
  checkpoint: file("checkpoint", "where to save the run when it ends or is interrupted"),
  resume: file("resume", "the checkpoint of a run to go on with, exactly where it stopped"),
  plot: Flag.String("plot").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("where to draw the loss curve as SVG (default: digits-loss.svg)"),
    Flag.withDefault("digits-loss.svg")
  ),
  backend: Flag.Literals("backend", ["wasm", "cpu"]).pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("what TensorFlow.js computes on (default: wasm)"),
    Flag.withDefault("wasm")
  )
}

/** What the command line says. */
export type Options = Command.Command.Config.Infer<typeof flags>

/** Fails for flags that make no sense together. */
export const validate = (options: Options): Effect.Effect<void, CliError.ValidationError> => {
  const message = contradictionIn(options)
  return message === undefined ? Effect.void : Effect.fail(new CliError.ValidationError({ message }))
}

const contradictionIn = ({ checkpoint, data, plot, recipe, resume }: Options): string | undefined => {
  const { label, test, train } = data
  if (train === undefined && test !== undefined) return "--test goes with --train: give both files, or neither"
  if (train === undefined && label !== undefined) return "--label goes with --train: it names a column of that file"
  const { chain, optimizer, options, schedule, stepSize } = recipe
  if (chain !== undefined && (optimizer ?? options) !== undefined) {
    return "--chain goes without --optimizer and --options: it names what it consists of"
  }
  if (stepSize !== undefined && schedule?.startsWith("{") === true) {
    return "--step-size does not go with a --schedule in JSON, which has its own step sizes"
  }
  if ([train, test].includes(checkpoint ?? "")) return "--checkpoint would overwrite the data"
  if (chain !== undefined && chain === checkpoint) return "--checkpoint would overwrite the chain"
  if ([train, test, checkpoint, resume, chain].includes(plot)) return "--plot would overwrite another file of this run"
  return undefined
}
