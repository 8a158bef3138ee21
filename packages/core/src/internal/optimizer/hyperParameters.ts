/**
 * Hyper-parameters: what is allowed, checked when an optimizer is made.
 */
import * as Schedules from "@optim/schedules"
import { InvalidHyperParameter } from "../../OptimError.ts"

/** What an optimizer was made with, defaults filled in; step sizes may be schedules or functions. */
export type HyperParameters = { readonly [name: string]: HyperParameter }

/** A number, a flag, a choice, or a step size that depends on the step. */
export type HyperParameter = number | boolean | string | Schedules.StepSize

/** A condition on a hyper-parameter, with its description for the error. */
export interface Range {
  readonly expected: string
  readonly allows: (value: unknown) => boolean
}

const isFinite = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

/** 0 ≤ x ≤ 1: the share of a velocity that is kept. */
export const mass: Range = { expected: "a number with 0 ≤ x ≤ 1", allows: (x) => isFinite(x) && x >= 0 && x <= 1 }

/** 0 ≤ x < 1: the decay of an average. */
export const decay: Range = { expected: "a number with 0 ≤ x < 1", allows: (x) => isFinite(x) && x >= 0 && x < 1 }

/** 0 ≤ x: the terms that keep a denominator from zero. */
export const nonNegative: Range = { expected: "a finite number ≥ 0", allows: (x) => isFinite(x) && x >= 0 }

/** 0, 1, 2, …. */
export const count: Range = {
  expected: "an integer ≥ 0",
  allows: (x) => typeof x === "number" && Number.isSafeInteger(x) && x >= 0
}

/** 1, 2, 3, …. */
export const every: Range = {
  expected: "an integer ≥ 1",
  allows: (x) => typeof x === "number" && Number.isSafeInteger(x) && x >= 1
}

/** Any number, NaN as well. */
export const number: Range = { expected: "a number", allows: (x) => typeof x === "number" }

/** …, −1, 0, 1, …. */
export const integer: Range = { expected: "an integer", allows: Number.isSafeInteger }

/** Any number but infinities and NaN. */
export const finite: Range = { expected: "a finite number", allows: isFinite }

/** 0 ≤ x, where infinity means no bound. */
export const bound: Range = { expected: "a number ≥ 0", allows: (x) => typeof x === "number" && x >= 0 }

/** x ≥ least, where infinity means no bound. */
export const atLeast = (least: number): Range => ({
  expected: `a number ≥ ${least}`,
  allows: (x) => typeof x === "number" && x >= least
})

/** One of a few words. */
export const oneOf = (...choices: ReadonlyArray<string>): Range => ({
  expected: `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
  allows: (x) => typeof x === "string" && choices.includes(x)
})

/** 0 < x, where infinity means no bound. */
export const positive: Range = { expected: "a number > 0", allows: (x) => typeof x === "number" && x > 0 }

/** 0 ≤ x finite, or something that gives the step size of a step. */
export const stepSize: Range = {
  expected: "a finite number ≥ 0, a schedule, or a function of the step",
  allows: (x) => nonNegative.allows(x) || typeof x === "function" || Schedules.isSchedule(x)
}

/** Any finite number, or something that gives one for each count of updates. */
export const decayRate: Range = {
  expected: "a finite number, a schedule, or a function of the count of updates",
  allows: (x) => isFinite(x) || typeof x === "function" || Schedules.isSchedule(x)
}

const print = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value)
}

/** The hyper-parameters themselves; throws `InvalidHyperParameter` at the first that is out of its range. */
export const check = <H extends HyperParameters>(
  optimizer: string,
  values: H,
  ranges: { readonly [K in keyof H]: Range }
): H => {
  for (const parameter of Object.keys(ranges)) {
    const range: Range | undefined = ranges[parameter]
    const value = values[parameter]
    if (range === undefined || range.allows(value)) continue
    throw new InvalidHyperParameter({ optimizer, parameter, value: print(value), expected: range.expected })
  }
  return values
}

const isHyperParameter = (value: unknown): value is HyperParameter =>
  ["number", "boolean", "string", "function"].includes(typeof value) || Schedules.isSchedule(value)

/** The hyper-parameters in what a maker was given, for rules that do not say. */
export const hyperParametersIn = (options: unknown): HyperParameters =>
  typeof options === "object" && options !== null
    ? Object.fromEntries(
        Object.entries(options).filter((entry): entry is [string, HyperParameter] => isHyperParameter(entry[1]))
      )
    : {}
