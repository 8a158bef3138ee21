/**
 * Trains a small neural network to tell handwritten digits apart. `--help` says what can be asked of it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { run } from "./cli.ts"

// a reader that went away, as in `| head`, must not end the training
process.stdout.on("error", () => undefined)

NodeRuntime.runMain(Effect.provide(run(process.argv.slice(2)), NodeServices.layer))
