/**
 * Faults: what is wrong with the data of a schedule, and where.
 *
 * Constructors, `make` and the codec all ask the same rules, so that a bad field is described in the same words
 * wherever it turns up. This module knows no schedule and no rule, only how a fault is passed on and shown.
 */

/** One bad value inside a schedule: its path from the schedule, the value, and what is allowed there. */
export interface Fault {
  readonly path: ReadonlyArray<string | number>
  readonly value: unknown
  readonly expected: string
  /** The innermost schedule that holds the value: its name, and the path from there. Absent until that is known. */
  readonly within?: { readonly schedule: string; readonly path: ReadonlyArray<string | number> }
}

/** What is expected of a list that belongs to the gaps between the elements of another. */
export const oneMoreThan = (field: string, list: ReadonlyArray<unknown>): string =>
  `an array of ${list.length + 1}, one more than ${field}`

/** The same faults seen from the value that holds the faulty one at `path`. */
export const under = (path: Fault["path"], faults: ReadonlyArray<Fault>): ReadonlyArray<Fault> =>
  faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }))

/** The same faults with the schedule that holds them, unless they lie in one further inside. */
export const within = (schedule: string, faults: ReadonlyArray<Fault>): ReadonlyArray<Fault> =>
  faults.map((fault) => (fault.within === undefined ? { ...fault, within: { schedule, path: fault.path } } : fault))

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
