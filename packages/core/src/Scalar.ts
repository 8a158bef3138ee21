/**
 * Scalars: numbers that an update needs and the host knows.
 *
 * A scalar is a pure function of the host's inputs (the step above all), computed in float64 once per update and handed
 * to the kernels as an argument, rounded once to the dtype of the tensor it meets. So a learning rate or a bias
 * correction is never part of a kernel, and another rate compiles nothing. A number that depends on tensor data is an
 * `Expr` of shape [] and stays on the device.
 *
 * Scalars are written with the same words as expressions (`add`, `pow`, … of `Expr`).
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Scalar } from "@optim/core"
 *
 * const step = Scalar.input("step", 0)
 * const warmUp = Scalar.apply("warmUp", (t = 0) => Math.min(1, t / 10), step)
 * const rate = Expr.mul(0.5, warmUp)
 * assert.deepStrictEqual([0, 5, 20].map((t) => Scalar.evaluate(rate, [t])), [0, 0.25, 0.5])
 * ```
 */
import * as Schedules from "@optim/schedules"
import { postOrder, scalarsOf } from "./internal/trace/postOrder.ts"
import { NonFinite } from "./OptimError.ts"

/** A function of numbers, the same object whenever it is the same function. */
export type Compute = (...args: ReadonlyArray<number>) => number

/** How a scalar comes about: a number, an input of the host, or a function of other scalars. */
export type Definition =
  | { readonly _tag: "Constant"; readonly value: number }
  | { readonly _tag: "Input"; readonly name: string; readonly index: number }
  | { readonly _tag: "Apply"; readonly name: string; readonly compute: Compute; readonly args: ReadonlyArray<Scalar> }

/** A number known to the host when the update runs. */
export class Scalar {
  readonly definition: Definition

  constructor(definition: Definition) {
    this.definition = definition
  }

  /** How it comes about. */
  toString(): string {
    return `Scalar(${print(this)})`
  }
}

const print = ({ definition }: Scalar): string => {
  switch (definition._tag) {
    case "Constant":
      return String(definition.value)
    case "Input":
      return definition.name
    case "Apply":
      return `${definition.name}(${definition.args.map(print).join(", ")})`
  }
}

/** The scalar that is always `value`. */
export const constant = (value: number): Scalar => new Scalar({ _tag: "Constant", value })

/** The host's input at a position; the step of an optimizer is its input 0. */
export const input = (name: string, index: number): Scalar => new Scalar({ _tag: "Input", name, index })

/**
 * A pure function of scalars as a scalar.
 *
 * Keep `compute` the same function object from call to call: then a thousand leaves share one evaluation.
 */
export const apply = (name: string, compute: Compute, ...args: ReadonlyArray<Scalar>): Scalar =>
  new Scalar({ _tag: "Apply", name, compute, args })

const largestCount = 2 ** 31 - 1

const successor: Compute = (count = Number.NaN) => Math.min(count + 1, largestCount)

/** One more than a count, up to the largest int32, where it stays. Source: `optax.safe_increment`. */
export const safeIncrement = (count: Scalar): Scalar => apply("increment", successor, count)

/**
 * A step size as a function of the symbolic step: a number, a schedule, or a function `(step) => number`.
 * An update fails with `NonFinite` at a step whose size is not a finite number.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Scalar } from "@optim/core"
 *
 * const rate = Scalar.schedule((step) => 1 / (1 + step))
 * assert.strictEqual(Scalar.evaluate(rate(Scalar.input("step", 0)), [3]), 0.25)
 * ```
 */
export const schedule = (stepSize: Schedules.StepSize): ((step: Scalar) => Scalar) => {
  if (typeof stepSize === "number") return () => constant(stepSize)
  const at = Schedules.make(stepSize)
  const compute: Compute = (step = Number.NaN) => finite(at(step), step)
  return (step) => apply("stepSize", compute, step)
}

const finite = (value: number, step: number): number => {
  if (Number.isFinite(value)) return value
  throw new NonFinite({ operation: "Scalar.schedule", quantity: "the step size", value: String(value), step })
}

const valueOf = (
  { definition }: Scalar,
  inputs: ReadonlyArray<number>,
  values: ReadonlyMap<Scalar, number>
): number => {
  switch (definition._tag) {
    case "Constant":
      return definition.value
    case "Input":
      return inputs[definition.index] ?? Number.NaN
    case "Apply":
      return definition.compute(...definition.args.map((arg) => values.get(arg) ?? Number.NaN))
  }
}

/** The number of a scalar for given inputs of the host, in float64; what is shared is computed once. */
export const evaluate = (self: Scalar, inputs: ReadonlyArray<number>): number => {
  const values = new Map<Scalar, number>()
  const isDone = (scalar: Scalar): boolean => values.has(scalar)
  postOrder(self, scalarsOf, isDone, (scalar) => values.set(scalar, valueOf(scalar, inputs, values)))
  return values.get(self) ?? Number.NaN
}
