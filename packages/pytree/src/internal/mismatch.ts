/** The error for trees that do not have the structure they should have. */
import { StructureMismatch } from "../TreeError.ts"
import { differences, type Mode } from "./compare.ts"
import { recordsOf, type TreeDef } from "./def.ts"

/** How a check of structures is called in its error. */
export interface CheckOptions {
  /** The operation that checks; by default, the name of the function called. */
  readonly operation?: string | undefined
  /** The tree that is checked, in words. */
  readonly subject?: string | undefined
  /** What it must agree with, in words. */
  readonly reference?: string | undefined
  /** What to do about it: the last line of the message. */
  readonly hint?: string | undefined
}

/** The error that says at which paths `found` differs from `expected`. */
export const mismatch = (
  expected: TreeDef,
  found: TreeDef,
  mode: Mode,
  { operation = "PyTree.flattenUpTo", subject = "the tree", reference = "the structure", hint }: CheckOptions
): StructureMismatch =>
  new StructureMismatch({
    operation,
    subject,
    reference,
    expected,
    found,
    mismatches: differences(recordsOf(expected), recordsOf(found), mode),
    ...(hint === undefined ? {} : { hint })
  })
