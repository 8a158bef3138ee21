/** What the numbers of projections may be. */
import type * as Effect from "effect/Effect"
import type { InvalidHyperParameter } from "../../OptimError.ts"
import { attempt } from "../attempt.ts"
import { check, type Range } from "../optimizer/hyperParameters.ts"

/** The size of a set that has no point of size 0. */
export const positive: Range = { expected: "a finite number > 0", allows: (x) => Number.isFinite(x) && Number(x) > 0 }

/** A right-hand side. */
export const finite: Range = { expected: "a finite number", allows: Number.isFinite }

/** A bound of elements, infinite where there is none. */
export const number: Range = { expected: "a number", allows: (x) => typeof x === "number" && !Number.isNaN(x) }

/** Fails unless the number is in its range. */
export const checked = (
  operation: string,
  parameter: string,
  value: number,
  range: Range
): Effect.Effect<unknown, InvalidHyperParameter> =>
  attempt(() => check(operation, { [parameter]: value }, { [parameter]: range }), { InvalidHyperParameter: true })
