/**
 * Checking a tree against a structure: the parts at its leaves, or the error with all differing paths.
 */
import { StructureMismatch } from "../../TreeError.ts"
import { differences } from "../structure/compare.ts"
import { recordsOf, type TreeDef } from "../structure/def.ts"
import { take } from "./take.ts"
import { takeUpTo } from "./takeUpTo.ts"
import { isLeafValue } from "./traverse.ts"

/** How a check of structures is done, and how it is called in its error. */
export interface CheckOptions {
  /** Must the tree have leaves where the structure has them? By default it may have subtrees there. */
  readonly exact?: boolean
  /** The operation that checks; by default, the name of the function called. */
  readonly operation?: string
  /** The tree that is checked, in words: "the gradients". */
  readonly subject?: string
  /** What it must agree with, in words: "the parameters". */
  readonly reference?: string
  /** What to do about it: the last line of the message. */
  readonly hint?: string
}

/** The parts of a tree that lie at the leaves of a structure. */
export const checked = (expected: TreeDef, tree: unknown, options: CheckOptions, operation: string): Array<unknown> => {
  const parts = takeUpTo(recordsOf(expected), tree)
  if (parts !== undefined && (options.exact !== true || parts.every(isLeafValue))) return parts
  throw mismatch(expected, tree, options, operation)
}

const mismatch = (
  expected: TreeDef,
  tree: unknown,
  { exact = false, ...words }: CheckOptions,
  operation: string
): StructureMismatch => {
  const found = take(tree, operation).def
  const mismatches = differences(recordsOf(expected), recordsOf(found), exact ? "exact" : "prefix")
  return new StructureMismatch({ ...words, operation, expected, found, mismatches })
}
