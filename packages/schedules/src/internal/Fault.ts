/**
 * Faults: what is wrong with the data of a schedule, and where.
 *
 * Constructors, `make` and the codec all ask the same rules, so that a bad field is described in the same words
 * wherever it turns up. This module knows no schedule; each kind applies the rules to its own fields.
 */

/** One bad value inside a schedule: its path from the schedule, the value, and what is allowed there. */
export interface Fault {
  readonly path: ReadonlyArray<string | number>
  readonly value: unknown
  readonly expected: string
}

/** What a single value must be, in words and as a test. */
export interface Rule {
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
}

const isFinite = (value: unknown): value is number => Number.isFinite(value)

export const finite: Rule = { expected: "a finite number", accepts: isFinite }

export const positive: Rule = { expected: "a finite number > 0", accepts: (value) => isFinite(value) && value > 0 }

export const nonNegative: Rule = { expected: "a finite number >= 0", accepts: (value) => isFinite(value) && value >= 0 }

export const stepIndex: Rule = {
  expected: "a non-negative integer",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0
}

export const flag: Rule = { expected: "true or false", accepts: (value) => typeof value === "boolean" }

export const finiteOrNull: Rule = {
  expected: "a finite number or nothing",
  accepts: (value) => value === null || isFinite(value)
}

/** The faults of the named fields, in the order in which the rules are written. */
export const ofFields = <A extends object>(
  self: A,
  rules: { readonly [K in Exclude<keyof A, "_tag">]?: Rule }
): Array<Fault> =>
  (Object.entries(rules) as Array<[keyof A & string, Rule]>)
    .filter(([field, rule]) => !rule.accepts(self[field]))
    .map(([field, rule]) => ({ path: [field], value: self[field], expected: rule.expected }))

/** The faults of a list field: not a list at all, or elements that break the rule. */
export const ofList = (field: string, list: ReadonlyArray<unknown>, rule: Rule): Array<Fault> => {
  if (!Array.isArray(list)) return [{ path: [field], value: list, expected: "an array" }]
  return list.flatMap((value, index) =>
    rule.accepts(value) ? [] : [{ path: [field, index], value, expected: rule.expected }]
  )
}

/** What is expected of a list that belongs to the gaps between the elements of another. */
export const oneMoreThan = (field: string, list: ReadonlyArray<unknown>): string =>
  `an array of ${list.length + 1}, one more than ${field}`

/** The same faults seen from the schedule that holds the faulty one at `path`. */
export const under = (path: Fault["path"], faults: ReadonlyArray<Fault>): Array<Fault> =>
  faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }))

/** `["schedules", 1, "decaySteps"]` is written `schedules[1].decaySteps`. */
export const formatPath = (path: Fault["path"]): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("")

/** A value as it is shown in an error: short, whatever it is. */
export const print = (value: unknown): string => {
  switch (typeof value) {
    case "undefined":
      return "nothing"
    case "string":
      return JSON.stringify(value)
    case "function":
      return "a function"
    case "object":
      return value === null ? "null" : Array.isArray(value) ? `an array of ${value.length}` : "an object"
    default:
      return String(value)
  }
}
