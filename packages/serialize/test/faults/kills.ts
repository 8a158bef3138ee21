/** Kills a process that saves, at random moments, and looks whether its last completed save is there. */
import { type ChildProcess, spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { CheckpointManager, CheckpointStore } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { makeRandom, type Random } from "./random.ts"
import { items, noTensors, valuesAt } from "./run.ts"

/** How a process is started that runs `child.ts` on a directory. */
export type Start = (directory: string) => ChildProcess

/** What was found. */
export interface KillReport {
  readonly kills: number
  /** The last completed save was not there, or was not what was saved. */
  readonly lost: number
  /** Of the kills: those that hit a process before its first save in that life. */
  readonly early: number
  /** Checkpoints that were found damaged. */
  readonly damaged: number
  /** How many saves were completed in all. */
  readonly saves: number
}

interface Life {
  readonly begun: boolean
  /** The last step that it called saved. */
  readonly saved: number | undefined
  readonly count: number
}

const linesOf = (child: ChildProcess): { text: string } => {
  const seen = { text: "" }
  child.stdout?.on("data", (chunk: Buffer) => {
    seen.text += chunk.toString()
  })
  return seen
}

const until = async (condition: () => boolean, child: ChildProcess): Promise<void> => {
  while (!condition() && child.exitCode === null) await sleep(1)
}

/** One life: it is killed some time after it began, or now and then while it begins. */
const live = async (start: Start, directory: string, random: Random): Promise<Life> => {
  const child = start(directory)
  const ended = new Promise((resolve) => {
    child.once("close", resolve)
  })
  const seen = linesOf(child)
  if (random(10) > 0) await until(() => seen.text.includes("begun"), child)
  await sleep(random(300))
  const { exitCode } = child
  child.kill("SIGKILL")
  await ended
  if (exitCode !== null) throw new Error(`the child ended by itself, with ${exitCode}`)
  const steps = [...seen.text.matchAll(/^saved (\d+)$/gm)].map(([, step]) => Number(step))
  return { begun: seen.text.includes("begun"), saved: steps.at(-1), count: steps.length }
}

const inspect = (directory: string) =>
  Effect.gen(function* () {
    const manager = yield* CheckpointManager.make({ items, readOnly: true })
    const { damaged, items: values, step } = yield* manager.restore()
    return { step, damaged: damaged.length, isRight: Equal.equals(values, valuesAt(step)) }
  }).pipe(
    Effect.catchTag("NoCheckpoint", ({ damaged }) =>
      Effect.succeed({ step: 0, damaged: damaged.length, isRight: damaged.length === 0 })
    ),
    Effect.scoped,
    Effect.provide([CheckpointStore.layerFiles(directory), noTensors]),
    Effect.provide(NodeServices.layer)
  )

/** Kills a saving process so many times, each in the directory that the one before left. */
export const runKills = async (start: Start, directory: string, kills: number, seed: number): Promise<KillReport> => {
  const random = makeRandom(seed)
  const report = { kills, lost: 0, early: 0, damaged: 0, saves: 0 }
  let last = 0
  for (let kill = 0; kill < kills; kill++) {
    const { count, saved } = await live(start, directory, random)
    if (saved === undefined) report.early += 1
    last = saved ?? last
    report.saves += count
    const found = await Effect.runPromise(inspect(directory))
    if (found.step < last || !found.isRight) report.lost += 1
    report.damaged += found.damaged
    last = Math.max(last, found.step)
  }
  return report
}

/** Runs `child.ts` as it is. */
export const startSource: Start = (directory) =>
  spawn(process.execPath, ["--conditions=source-ts", new URL("./child.ts", import.meta.url).pathname, directory], {
    stdio: ["ignore", "pipe", "inherit"]
  })
