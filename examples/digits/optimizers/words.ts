/**
 * Optimizers in words, and as they can be asked for.
 */
import * as Schedules from "@optim/schedules"
import type * as Schema from "effect/Schema"
import { toJson } from "./chain.ts"
import type { Part } from "./part.ts"
import { rateOf, ratesOf, restOf } from "./rates.ts"

const rateInWords = (rate: Schema.Json): string =>
  Schedules.isSchedule(rate) ? `step size by ${rate._tag}` : `step size ${JSON.stringify(rate)}`

const partInWords = (part: Part): string => {
  const options = Object.entries(restOf(part)).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  const own = options.length === 0 ? part.name : `${part.name} (${options.join(", ")})`
  return part.inner === undefined ? own : `${own} of [${inWords(part.inner)}]`
}

/** Parts in words, with their options but for step sizes. */
export const inWords = (parts: ReadonlyArray<Part>): string => parts.map(partInWords).join(" + ")

/** The names of parts. */
export const namesOf = (parts: ReadonlyArray<Part>): string =>
  parts.map(({ inner, name }) => (inner === undefined ? name : `${name} of [${namesOf(inner)}]`)).join(" + ")

/** The step sizes of parts in words. */
export const ratesInWords = (parts: ReadonlyArray<Part>): ReadonlyArray<string> => ratesOf(parts).map(rateInWords)

const quoted = (json: Schema.Json): string => `'${JSON.stringify(json)}'`

/** Parts as they can be asked for. */
export const chainFlag = (parts: ReadonlyArray<Part>): string => `--chain ${quoted(toJson(parts))}`

/** An optimizer as it can be asked for, flag by flag. */
export const partFlags = (part: Part) => {
  const rate = rateOf(part) ?? 0
  return {
    optimizer: `--optimizer ${part.name}`,
    options: `--options ${quoted(restOf(part))}`,
    stepSize: typeof rate === "number" ? `--step-size ${rate}` : `--schedule ${quoted(rate)}`
  }
}
