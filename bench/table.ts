/**
 * Results as text: columns for the terminal, the same in Markdown for the file.
 */
import { median, ratioOf } from "./measure.ts"
import type { Verdict } from "./bars.ts"
import type { Machine } from "./machine.ts"
import { type HeatResult, perElement, type Report } from "./results.ts"

type Table = ReadonlyArray<ReadonlyArray<string>>

const widths = (rows: Table): ReadonlyArray<number> =>
  rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? []

/** The first column to the left, numbers to the right. */
const line = (row: ReadonlyArray<string>, width: ReadonlyArray<number>): ReadonlyArray<string> =>
  row.map((text, column) => (column === 0 ? text.padEnd(width[column] ?? 0) : text.padStart(width[column] ?? 0)))

/** Columns for the terminal. */
export const columns = (rows: Table): string =>
  rows.map((row) => line(row, widths(rows)).join("  ").trimEnd()).join("\n")

/** A table in Markdown. */
export const markdown = (rows: Table): string => {
  const width = widths(rows)
  const rule = width.map((size, column) => (column === 0 ? "-".repeat(size) : `${"-".repeat(Math.max(1, size - 1))}:`))
  const [head = [], ...body] = rows.map((row) => line(row, width))
  return [head, rule, ...body].map((row) => `| ${row.join(" | ")} |`).join("\n")
}

const digits = (value: number): string =>
  value >= 1000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value.toFixed(2)

/** Contestants of a heat, as ratios to the first. */
export const heatTable = ({ results }: HeatResult): Table => {
  const [first] = results
  if (first === undefined) return []
  const rows = results.map((result) => {
    const { high, low, median: ratio } = ratioOf(result, first)
    const time = median(result.nanoseconds)
    return [
      result.name,
      digits(time / 1e3),
      digits(Math.min(...result.nanoseconds) / 1e3),
      digits(perElement(result)),
      digits(ratio),
      `${digits(low)}–${digits(high)}`
    ]
  })
  return [["contestant", "µs a step", "best", "ns/element", `to ${first.name}`, "quartiles"], ...rows]
}

/** The bars. */
export const barTable = (verdicts: ReadonlyArray<Verdict>): Table => [
  ["bar", "wanted", "measured", "best to best", ""],
  ...verdicts.map(({ bar, best, limit, measured, reached }) => [
    bar,
    limit,
    measured,
    best,
    reached ? "reached" : "MISSED"
  ])
]

/** The machine in one paragraph. */
export const machineText = (machine: Machine): string =>
  [
    `${machine.cpu}, ${machine.cores} cores (${machine.caches}), ${machine.memoryGiB} GiB, ${machine.system}.`,
    `Node ${machine.node} (V8 ${machine.v8}), tfjs ${machine.tfjs}, jax-js ${machine.jaxJs}.`,
    `${machine.date.slice(0, 10)}, commit ${machine.commit}, load ${machine.loadBefore.toFixed(1)} before`
  ].join("\n")

/** A whole report in Markdown. */
export const reportText = ({ first, heats, loadAfter, machine }: Report, verdicts: ReadonlyArray<Verdict>): string =>
  [
    "# Benchmark\n",
    `${machineText(machine)}, ${loadAfter.toFixed(1)} after.\n`,
    "## Bars\n",
    `${markdown(barTable(verdicts))}\n`,
    ...heats.map((heat) => `## ${heat.optimizer}, ${heat.case}\n\n${markdown(heatTable(heat))}\n`),
    "## First update\n",
    `${markdown([["case", "ms, new process", "ms, warm engine"], ...first.map(({ case: at, cold, warm }) => [at, digits(cold), digits(warm)])])}\n`
  ].join("\n")
