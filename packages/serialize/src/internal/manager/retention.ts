/**
 * Which checkpoints are kept.
 */
import * as Duration from "effect/Duration"

/** What is known about a checkpoint without reading it. */
export interface Known {
  readonly id: string
  readonly step: number
  readonly savedAt: number
  readonly metrics: Readonly<Record<string, number>>
}

/** The best by a metric. */
export interface Best {
  readonly metric: string
  /** Is a lower value better, or a higher one? Default `"min"`. */
  readonly mode?: "min" | "max" | undefined
  /** How many. Default 1. */
  readonly count?: number | undefined
}

/** Which checkpoints are kept: each that any of the rules names. Without a rule, all. */
export interface Retention {
  /** The latest so many. */
  readonly last?: number | undefined
  /** Those whose step is a multiple. */
  readonly every?: number | undefined
  /** Those with the best values of a metric. */
  readonly best?: Best | undefined
  /** Those that are younger. */
  readonly youngerThan?: Duration.Input | undefined
}

/** From the oldest to the latest. */
export const byStep = (a: Known, b: Known): number => a.step - b.step || a.savedAt - b.savedAt

/** From the best to the worst; those without a value, and NaN, are not among them. Of equals, the later is better. */
export const ranking = (known: ReadonlyArray<Known>, { metric, mode = "min" }: Best): ReadonlyArray<Known> => {
  const sign = mode === "min" ? 1 : -1
  const value = ({ metrics }: Known): number =>
    Object.hasOwn(metrics, metric) ? (metrics[metric] ?? Number.NaN) : Number.NaN
  return known
    .filter((one) => !Number.isNaN(value(one)))
    .toSorted((a, b) => (value(a) === value(b) ? byStep(b, a) : sign * (value(a) - value(b))))
}

const rules = ({ best, every, last, youngerThan }: Retention, ordered: ReadonlyArray<Known>, now: number) => [
  ...(last === undefined ? [] : [ordered.slice(Math.max(0, ordered.length - last))]),
  ...(every === undefined ? [] : [ordered.filter(({ step }) => step % every === 0)]),
  ...(best === undefined ? [] : [ranking(ordered, best).slice(0, best.count ?? 1)]),
  ...(youngerThan === undefined
    ? []
    : [ordered.filter(({ savedAt }) => now - savedAt < Duration.toMillis(Duration.fromInputUnsafe(youngerThan)))])
]

/**
 * The checkpoints that no rule names. The latest is never among them, whatever the rules say; of several of one step,
 * only the latest is looked at, the others are superseded.
 */
export const superfluous = (retention: Retention, known: ReadonlyArray<Known>, now: number): ReadonlyArray<Known> => {
  const ordered = known.toSorted(byStep)
  const current = ordered.filter(({ step }, index) => ordered[index + 1]?.step !== step)
  const named = rules(retention, current, now)
  const kept = new Set(named.length === 0 ? current : [...named.flat(), ...current.slice(-1)])
  return ordered.filter((one) => !kept.has(one))
}
