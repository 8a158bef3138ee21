/**
 * The fault runs with their full counts: `pnpm test:faults`, or with fewer, `pnpm test:faults 0.1`.
 *
 * Writes the table of a full run to `results.md` beside this file, and fails if anything was lost.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { runFlips } from "./flips.ts"
import { runFuzz } from "./fuzz.ts"
import { runKills, type Start } from "./kills.ts"
import { runMemory, runSpeed } from "./speed.ts"
import { runStores } from "./stores.ts"

const share = Number(process.argv[2] ?? 1)

const count = (full: number): number => Math.max(1, Math.round(full * share))

const directory = mkdtempSync(join(tmpdir(), "optim-faults-"))

/** The child as one file, which starts in a fraction of the time. */
const bundle = async (): Promise<Start> => {
  const file = join(directory, "child.mjs")
  const build = await rolldown({
    input: new URL("./child.ts", import.meta.url).pathname,
    platform: "node",
    resolve: { conditionNames: ["source-ts", "node", "import"] },
    logLevel: "silent"
  })
  await build.write({ file, codeSplitting: false })
  return (store) => spawn(process.execPath, [file, store], { stdio: ["ignore", "pipe", "inherit"] })
}

const row = (...cells: ReadonlyArray<string | number>): string => `| ${cells.join(" | ")} |`

const faults: Array<string> = [row("fault", "runs", "outcome"), row("---", "---", "---")]
let isSound = true

const add = (fault: string, runs: number | string, outcome: string, isAsPromised: boolean): void => {
  isSound &&= isAsPromised
  const line = row(fault, runs, isAsPromised ? outcome : `**${outcome}**`)
  faults.push(line)
  console.log(line)
}

const memory = await runMemory(count(2000))
console.log(memory.join("\n"))
const speed = await runSpeed(Math.max(20, count(50) * 10), 11)
const speedRows = [
  row("what", "ours", "by hand", "ratio", "bar"),
  row("---", "---", "---", "---", "---"),
  ...speed.map(({ bar, ours, ratio, theirs, what }) => row(what, ours, theirs, ratio.toFixed(2), bar))
]
console.log(speedRows.join("\n"))

for (const { isAsPromised, outcome, store } of await runStores(Math.max(10, count(50)), true))
  add(store, "", outcome, isAsPromised)

const flips = await runFlips(count(10_000), 1)
add(
  "a bit of a checkpoint flipped",
  flips.flips,
  `${flips.detected} detected, ${flips.harmless} harmless (the index, which is not read), ${flips.undetected} undetected`,
  flips.undetected === 0
)

const fuzz = await runFuzz(count(100_000), 1)
add(
  "a reader given damaged or random bytes",
  fuzz.inputs,
  `${fuzz.values} values, ${fuzz.refused} typed errors, ${fuzz.crashes} crashes; slowest ${fuzz.slowest.toFixed(0)} ms; array buffers beyond twice the input: ${Math.max(0, fuzz.overAllocated)} bytes`,
  fuzz.crashes === 0
)

const kills = await runKills(await bundle(), join(directory, "kills"), count(500), 1)
add(
  "`kill -9` while saving",
  kills.kills,
  `${kills.lost} lost, ${kills.damaged} damaged, of ${kills.saves} completed saves; ${kills.early} kills before the first save of a life`,
  kills.lost === 0 && kills.damaged === 0
)

rmSync(directory, { recursive: true })

if (share === 1) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}, load average ${(loadavg()[0] ?? 0).toFixed(0)}, ${new Date().toISOString().slice(0, 10)}`
  const text = [
    "# The last fault run",
    "",
    machine,
    "",
    ...faults,
    "",
    ...speedRows,
    "",
    ...memory.map((line) => `- ${line}`),
    ""
  ]
  writeFileSync(new URL("./results.md", import.meta.url), text.join("\n"))
}
if (!isSound) process.exitCode = 1
