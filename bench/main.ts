/**
 * The benchmark: `pnpm bench`, or with `--quick`, `--optimizer adam`, `--case 1e6`, `--contestant optim`, `--list`.
 *
 * A run without filters, or with `--save`, writes what it found to `bench/results`.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import { judge } from "./bars.ts"
import { check, type Contestant } from "./contestant.ts"
import { openCpu, openFused, openInterpreter } from "./contestants/runtime.ts"
import type { First } from "./first.ts"
import { type Heat, heatsOf, type Homes } from "./heats.ts"
import { describeMachine } from "./machine.ts"
import { measure, median } from "./measure.ts"
import { type Options, readOptions } from "./options.ts"
import type { FirstResult, HeatResult, Report } from "./results.ts"
import { type Case, fill, type Setting } from "./setting.ts"
import { barTable, columns, heatTable, machineText, reportText } from "./table.ts"
import { trainers } from "./training.ts"

interface Ready {
  readonly contestant: Contestant
  readonly elements: number
}

const print = (text: string): void => console.log(text)

/** Contestants that were made and are right; the reasons of the others. */
const assemble = async (heat: Heat, { wantsContestant }: Options): Promise<readonly [Array<Ready>, Array<string>]> => {
  const settings = new Map<Case, Setting>()
  const ready: Array<Ready> = []
  const failures: Array<string> = []
  for (const { make, on = heat.case } of heat.entrants) {
    const setting = settings.get(on) ?? fill(on)
    settings.set(on, setting)
    try {
      const contestant = await make(setting)
      if (!wantsContestant(contestant.name)) {
        contestant.end()
        continue
      }
      await check(contestant, setting)
      ready.push({ contestant, elements: setting.elements })
    } catch (error) {
      failures.push(String(error))
    }
  }
  return [ready, failures]
}

const runHeat = async (heat: Heat, options: Options): Promise<HeatResult> => {
  const [ready, failures] = await assemble(heat, options)
  const times = await measure(
    ready.map(({ contestant }) => contestant),
    options.effort
  )
  for (const { contestant } of ready) contestant.end()
  const results = times.map((each, index) => ({ ...each, elements: ready[index]?.elements ?? Number.NaN }))
  return { optimizer: heat.optimizer, case: heat.case.name, results, failures }
}

const batch = 64

const runTraining = async ({ fused }: Homes, options: Options): Promise<HeatResult> => {
  const all = await trainers(fused.run, batch)
  const times = await measure(all, { ...options.effort, turn: 4 * options.effort.turn })
  for (const trainer of all) trainer.end()
  const results = times.map((each) => ({ ...each, elements: 535_818 }))
  return { optimizer: "training", case: `mlp, batch of ${batch}`, results, failures: [] }
}

const firstIn = (name: string, samples: number): ReadonlyArray<First> => {
  const file = join(import.meta.dirname, "first.ts")
  const args = ["--conditions=source-ts", file, name, String(samples)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as ReadonlyArray<First>
}

const runFirst = (name: string, { quick }: Options): FirstResult => {
  const processes = Array.from({ length: quick ? 2 : 7 }, () => firstIn(name, 4))
  const cold = median(processes.map(([first]) => first?.update ?? Number.NaN))
  const warm = median(processes.flatMap((samples) => samples.slice(1).map(({ update }) => update)))
  return { case: name, cold, warm }
}

const show = (heat: HeatResult): HeatResult => {
  print(`\n${heat.optimizer}, ${heat.case}\n${columns(heatTable(heat))}`)
  for (const failure of heat.failures) print(failure)
  return heat
}

const runAll = async (homes: Homes, options: Options): Promise<Pick<Report, "heats" | "first">> => {
  const heats: Array<HeatResult> = []
  const wanted = (optimizer: string, at: string) => options.wantsOptimizer(optimizer) && options.wantsCase(at)
  for (const heat of heatsOf(homes)) {
    if (!wanted(heat.optimizer, heat.case.name)) continue
    if (options.list) print(`${heat.optimizer}, ${heat.case.name}`)
    else heats.push(show(await runHeat(heat, options)))
  }
  if (options.list) {
    for (const other of ["training, mlp", "first, mlp", "first, 1,000 x 64"]) print(other)
    return { heats, first: [] }
  }
  if (wanted("training", "mlp")) heats.push(show(await runTraining(homes, options)))
  const cases = ["mlp", "1,000 x 64"].filter((name) => wanted("first", name))
  return { heats, first: cases.map((name) => runFirst(name, options)) }
}

/** Five digits are more than a measurement has. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value

const save = (report: Report): void => {
  const folder = join(import.meta.dirname, "results")
  const path = join(folder, report.machine.date.slice(0, 10))
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.json`, JSON.stringify({ ...report, bars: judge(report) }, rounded))
  writeFileSync(`${path}.md`, reportText(report, judge(report)))
  execFileSync(join(import.meta.dirname, "../node_modules/.bin/oxfmt"), [`${path}.json`, `${path}.md`])
  print(`\nWritten to ${path}.json and .md`)
}

const options = readOptions(process.argv.slice(2))
const machine = describeMachine()
print(machineText(machine))

const homes: Homes = { fused: await openFused(), interpreter: await openInterpreter() }
const cpu = await openCpu()

const found = await runAll(homes, options)
const verdicts = judge(found)
if (verdicts.length > 0) print(`\n${columns(barTable(verdicts))}`)
for (const { case: at, cold, warm } of found.first)
  print(`first update, ${at}: ${cold.toFixed(1)} ms in a new process, ${warm.toFixed(1)} ms in a warm one`)
if (options.whole || options.save) save({ ...found, machine, loadAfter: loadavg()[0] ?? Number.NaN })

await homes.fused.close()
await homes.interpreter.close()
await cpu.close()
