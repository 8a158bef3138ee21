/**
 * The command, as effect/cli runs it: help and version on stdout, and whatever goes wrong as one line on stderr.
 */
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { digits } from "./digits.ts"
import { oneLine } from "./failure.ts"
import { flags, validate } from "./options.ts"

const command = Command.make("digits", flags, (options) =>
  Effect.mapError(digits(options), (cause) => new CliError.UserError({ cause, userMessage: oneLine(cause.message) }))
).pipe(
  Command.validate(validate),
  Command.withDescription("Trains a small neural network to tell classes apart, with any optimizer and schedule."),
  Command.withExamples([
    { command: "digits", description: "Train on digits that the program draws itself" },
    { command: "digits --train train.csv --test test.csv", description: "Train and test on files" },
    {
      command: "digits --optimizer sgd --schedule exponentialDecay:decaySteps=500",
      description: "Another way to step"
    },
    { command: "digits --optimizer lion --options '{\"weightDecay\":0.01}'", description: "Options of the optimizer" },
    {
      command: 'digits --chain \'[{"clipByGlobalNorm":{"maxNorm":1}},"adamw"]\'',
      description: "A chain of transforms, as JSON or from a file"
    },
    { command: "digits --epochs 10 --checkpoint run.safetensors", description: "Save the run" },
    { command: "digits --epochs 30 --resume run.safetensors", description: "Go on with it" }
  ])
)

/** An error of effect/cli or of ours, in one line. */
const line = (error: CliError.CliError): string => {
  if (error._tag !== "UnrecognizedOption") return oneLine(error.message)
  const meant = error.suggestions.length === 0 ? "" : `; did you mean ${error.suggestions.join(" or ")}?`
  return `Unrecognized flag: ${error.option}${meant}`
}

const lines = (errors: ReadonlyArray<CliError.CliError>): string => `digits: ${errors.map(line).join("; ")}`

const output = Layer.mergeAll(
  CliOutput.layer(
    Object.assign(CliOutput.defaultFormatter(), { formatError: (error: CliError.CliError) => lines([error]) })
  ),
  CliOutput.layerPresenter({
    present: (event) =>
      event._tag === "InvalidInvocation"
        ? Console.error(lines(event.errors))
        : CliOutput.defaultPresenter.present(event)
  }),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
)

/** Runs the command. A leading `--`, which package managers pass on, is none of its arguments. */
export const run = (args: ReadonlyArray<string>) =>
  Command.runWith(command, { version: "1.0.0" })(args[0] === "--" ? args.slice(1) : args).pipe(Effect.provide(output))
