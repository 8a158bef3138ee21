/**
 * How far a backend may be from the correctly rounded result, and why. What is not named here is exact, bit for bit.
 *
 * Figures are for tfjs 4.22; functions were compared with float64 results at more than 2²⁴ floats over their ranges.
 */
import type { Expr } from "@optim/core"
import type { Sums } from "./reference.ts"

/** Units in the last place between the result and the rounded float64 result. */
export const ulps: { readonly [backend: string]: { readonly [op in Expr.Op]?: number } } = {
  // computes in float64 and rounds once
  cpu: { exp: 0, log: 0, tanh: 0, pow: 0 },
  // the C library's functions in float32
  wasm: { exp: 1, log: 1, tanh: 2, pow: 1 }
}

/** Half a unit in the last place of 1: the relative error of one rounding in float32. */
const roundoff = 2 ** -24

/** The least positive float32. */
const least = 2 ** -149

/**
 * The error of a float32 sum in any order: each term is rounded, each partial sum, which is never greater than Σ|x|, and
 * the quotient. Products and quotients beneath the normal numbers lose at most the least of these.
 */
export const ofSum = ({ divisor, magnitudes, terms }: Sums, index: number): number =>
  ((terms + 2) * (roundoff * (magnitudes[index] ?? 0) + least)) / divisor + least

/** Partial sums that leave float32 on the way come out as they please, depending on the order. */
export const overflows = ({ magnitudes }: Sums, index: number): boolean => (magnitudes[index] ?? 0) >= 2 ** 127
