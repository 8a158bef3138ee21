/**
 * Knots: the steps at which a piecewise schedule is given, each with the factor that takes the value there.
 *
 * The factors are cumulative: the value at a knot is the value at the knot before, times its factor. Between knots the
 * value is interpolated, in the reference's order of operations.
 */
import * as Rule from "../../Rule.ts"

/** Factors of the value, by the step from which they hold. */
export interface BoundariesAndScales {
  readonly [boundary: number]: number
}

/** The shape of the way from one knot to the next. */
export type InterpolateType = "linear" | "cosine"

/** A step and the factor of the value there. */
export type Knot = readonly [boundary: number, scale: number]

export const boundariesAndScales: Rule.Rule = Rule.atSteps(Rule.nonNegative)

/** The knots in the order of their steps. */
export const knotsOf = (scales: BoundariesAndScales): ReadonlyArray<Knot> =>
  Object.entries(scales)
    .map(([boundary, scale]: readonly [string, number]): Knot => [Number(boundary), scale])
    .toSorted(([a], [b]) => a - b)

const ways: { readonly [Type in InterpolateType]: (start: number, end: number, progress: number) => number } = {
  linear: (start, end, progress) => (end - start) * progress + start,
  cosine: (start, end, progress) => end + ((start - end) / 2) * (Math.cos(Math.PI * progress) + 1)
}

export const interpolateType: Rule.Rule = Rule.oneOf(Object.keys(ways))

/** The value at a step, on the way between the two knots around it; the last knot's value holds after it. */
export const interpolated = (
  type: InterpolateType,
  initValue: number,
  knots: ReadonlyArray<Knot>,
  step: number
): number => {
  let start = 0
  let value = initValue
  for (const [boundary, scale] of knots) {
    const next = value * scale
    if (step < boundary) return ways[type](value, next, (step - start) / (boundary - start))
    start = boundary
    value = next
  }
  return value
}
