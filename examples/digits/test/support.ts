/**
 * What the tests of the program share: a small data set, a recipe for it, and the command run in this process.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Runtime from "effect/Runtime"
import * as Terminal from "effect/Terminal"
import { TestConsole } from "effect/testing"
import { run } from "../cli.ts"
import { generate } from "../data/dataset.ts"
import type { Data } from "../data/load.ts"
import { apply, fit } from "../data/normalize.ts"
import type { Recipe } from "../recipe.ts"

/** A terminal that shows nothing. */
const silent = Layer.succeed(
  Terminal.Terminal,
  Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.die("unused"),
    readInput: Effect.die("unused"),
    readLine: Effect.die("unused"),
    display: () => Effect.void
  })
)

/** What a program in Node needs, without its voice. */
export const services = Layer.mergeAll(NodeServices.layer, silent, TestConsole.layer)

/** A path in a directory that the scope removes. */
export const temporary = Effect.fnUntraced(function* (name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return path.join(yield* fs.makeTempDirectoryScoped(), name)
})

/** Some drawn digits, the same at every call. */
export const data: Effect.Effect<Data> = Effect.map(generate({ seed: 1, train: 240, test: 200 }), (raw) => {
  const scale = fit(raw.train, "range")
  return { train: apply(raw.train, scale), test: apply(raw.test, scale), fingerprint: "drawn digits" }
})

export const stepsPerEpoch = 8

/** A recipe that makes so many steps of `data` an epoch. */
export const recipe: Recipe = {
  optimizer: [{ name: "adam", options: { stepSize: 0.003 } }],
  epochs: 1,
  batch: 30,
  seed: 7
}

/** The command with these arguments: its exit code, and the lines on stdout and stderr. */
export const command = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(run(args))
    let code = Number.NaN
    Runtime.defaultTeardown(exit, (found) => (code = found))
    return { code, out: (yield* TestConsole.logLines).map(String), err: (yield* TestConsole.errorLines).map(String) }
  }).pipe(Effect.provide(Layer.fresh(TestConsole.layer)))
