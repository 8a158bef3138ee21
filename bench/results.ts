/**
 * What a run of the benchmark found, as data.
 */
import type { Machine } from "./machine.ts"
import { median, type Ratio, ratioOf, type Times } from "./measure.ts"

/** One contestant of a heat. */
export interface Result extends Times {
  /** Elements of all leaves together. */
  readonly elements: number
}

/** One heat; those that could not take part, with the reason. */
export interface HeatResult {
  readonly optimizer: string
  readonly case: string
  readonly results: ReadonlyArray<Result>
  readonly failures: ReadonlyArray<string>
}

/** Milliseconds of the first update, in a new process and in a warm one. */
export interface FirstResult {
  readonly case: string
  readonly cold: number
  readonly warm: number
}

/** A whole run. */
export interface Report {
  readonly machine: Machine
  readonly loadAfter: number
  readonly heats: ReadonlyArray<HeatResult>
  readonly first: ReadonlyArray<FirstResult>
}

/** The contestant of a heat, if both took place. */
export const find = (
  { heats }: Pick<Report, "heats">,
  optimizer: string,
  at: string,
  name: string
): Result | undefined =>
  heats.find((heat) => heat.optimizer === optimizer && heat.case === at)?.results.find((result) => result.name === name)

/** The ratio of two contestants of one heat. */
export const compare = (
  report: Pick<Report, "heats">,
  optimizer: string,
  at: string,
  name: string,
  other: string
): Ratio | undefined => {
  const [one, two] = [find(report, optimizer, at, name), find(report, optimizer, at, other)]
  return one === undefined || two === undefined ? undefined : ratioOf(one, two)
}

/** Nanoseconds per element, median. */
export const perElement = ({ elements, nanoseconds }: Result): number => median(nanoseconds) / elements
