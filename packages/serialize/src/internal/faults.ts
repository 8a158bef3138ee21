/**
 * Schema issues as faults: the place, what is expected there, and what was found.
 */
import { format } from "effect/Formatter"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Fault } from "./show.ts"

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown => {
  let inner = value
  for (const key of path) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined
    inner = (inner as Record<PropertyKey, unknown>)[key] // an own property, checked
  }
  return inner
}

/** Any value as it may stand in a message. */
export const print = (value: unknown): string => {
  if (typeof value === "function") return "a function"
  const text = value === undefined ? "nothing" : format(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/**
 * What a message says is expected. The codec of schedules also says of which field, and what was found, for which a fault
 * has columns of their own.
 */
const expectedBy = (message: string): string => {
  if (message === "Missing key") return "a value"
  const inSchedule = /^Expected \S+(?: of \w+)? to be (?<rule>.*), found /s.exec(message)
  return inSchedule?.groups?.["rule"] ?? message.replace(/^Expected /, "")
}

/** The faults in `value`, whose paths begin with `root`. */
export const fromIssue = (root: string, issue: SchemaIssue.Issue, value: unknown): ReadonlyArray<Fault> =>
  SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment))
    return {
      path: [root, ...keys.map(String)].filter((key) => key !== "").join("."),
      expected: expectedBy(message),
      found: print(valueAt(value, keys))
    }
  })
