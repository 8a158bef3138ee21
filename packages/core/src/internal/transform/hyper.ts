/**
 * Hyper-parameters of transforms: numbers, or symbols that stand for numbers which are set from outside.
 *
 * A rule uses them in words of `Expr` only, which take both. So a transform that is made with symbols is traced once, and
 * whatever number stands behind them later (`injectHyperparams`) compiles nothing.
 */
import type * as Schedules from "@optim/schedules"
import { InvalidHyperParameter } from "../../OptimError.ts"
import * as Scalar from "../../Scalar.ts"
import { check, type HyperParameters, hyperParametersIn, type Range } from "../optimizer/hyperParameters.ts"

/** A number, or a symbol for one. */
export type Hyper = number | Scalar.Scalar

/** A number, a schedule of it, a function of the count of updates, or a symbol. */
export type Rate = Schedules.StepSize | Scalar.Scalar

/** A number or symbol as a symbol. */
export const scalarOf = (hyper: Hyper): Scalar.Scalar => (typeof hyper === "number" ? Scalar.constant(hyper) : hyper)

/** The rate at a count of earlier updates. */
export const rateAt = (rate: Rate): ((count: Scalar.Scalar) => Scalar.Scalar) =>
  rate instanceof Scalar.Scalar ? () => rate : Scalar.schedule(rate)

/** The symbol whose number is checked whenever an update needs it. */
const guarded = (transform: string, parameter: string, symbol: Scalar.Scalar, range: Range): Scalar.Scalar => {
  const compute: Scalar.Compute = (value = Number.NaN) => {
    if (range.allows(value)) return value
    throw new InvalidHyperParameter({ optimizer: transform, parameter, value: String(value), expected: range.expected })
  }
  return Scalar.apply(parameter, compute, symbol)
}

/**
 * The values themselves, symbols guarded by their ranges; throws `InvalidHyperParameter` at the first number that is out of
 * its range.
 */
export const checked = <H extends { readonly [name: string]: unknown }>(
  transform: string,
  values: H,
  ranges: { readonly [K in keyof H]: Range }
): H => {
  const entries = Object.entries(values).map(([parameter, value]): readonly [string, unknown] => {
    const range = ranges[parameter]
    if (value instanceof Scalar.Scalar && range !== undefined)
      return [parameter, guarded(transform, parameter, value, range)]
    return [parameter, value]
  })
  const numbers = Object.fromEntries(entries.filter(([, value]) => !(value instanceof Scalar.Scalar)))
  const numberRanges = Object.fromEntries(Object.entries(ranges).filter(([parameter]) => parameter in numbers))
  check(transform, numbers as HyperParameters, numberRanges)
  // The same names, each with its own value or with that value guarded.
  return Object.fromEntries(entries) as H
}

/** One of them under the name by which the user knows it; throws as `checked` does. */
export const checkedAs = <V>(transform: string, parameter: string, value: V, range: Range): V =>
  checked<{ readonly [name: string]: V }>(transform, { [parameter]: value }, { [parameter]: range })[parameter] as V

/** What a transform says of its hyper-parameters: the numbers and schedules among them. */
export const plain: (values: object) => HyperParameters = hyperParametersIn
