import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Checkpoint from "../checkpoint.ts"
import { services, temporary } from "./support.ts"

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const main = fileURLToPath(new URL("../main.ts", import.meta.url))

/** The program as a process of its own, interrupted from the keyboard as soon as it prints the given text. */
const execute = (args: ReadonlyArray<string>, interruptAt?: string): Effect.Effect<Ended> =>
  Effect.callback<Ended>((resume) => {
    const child = spawn(process.execPath, ["--conditions=source-ts", main, ...args])
    let out = ""
    let err = ""
    // Once: a second time, while the run is being saved, would end it at once.
    let interrupts = 0
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      if (interruptAt !== undefined && out.includes(interruptAt) && interrupts++ === 0) child.kill("SIGINT")
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text))
    child.on("close", (code) => resume(Effect.succeed({ code, out, err })))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

layer(services, { excludeTestServices: true })("main", (it) => {
  describe("cases", () => {
    it.effect("help goes to stdout, with code 0", () =>
      Effect.gen(function* () {
        const { code, err, out } = yield* execute(["--help"])
        assert.deepStrictEqual([code, err], [0, ""])
        for (const flag of ["--train", "--step-size", "--resume", "--plot"]) assert.include(out, flag)
      })
    )
    it.effect("a failure is one line on stderr, with code 1", () =>
      Effect.gen(function* () {
        const ended = yield* execute(["--train", "none.csv"])
        assert.deepStrictEqual(ended, { code: 1, out: "", err: "digits: cannot read none.csv: no such file\n" })
      })
    )
    it.effect("an interruption saves the run, with code 130", () =>
      Effect.gen(function* () {
        const [checkpoint, plot] = [yield* temporary("run"), yield* temporary("loss.svg")]
        const args = ["--epochs", "100000", "--checkpoint", checkpoint, "--plot", plot]
        const { code, err, out } = yield* execute(args, "1/9400000")
        const { step } = (yield* Checkpoint.read(checkpoint)).checkpoint
        assert.deepStrictEqual([code, err], [130, ""])
        assert.isAbove(step, 0)
        assert.include(out, `saved step ${step} as ${checkpoint}\n`)
      })
    )
  })
})
