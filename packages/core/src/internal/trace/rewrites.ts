/**
 * Rewrites: expressions that are another one, whatever the numbers.
 *
 * Only those that hold for every float32, NaN, zeros and infinities included. So never `x·0 = 0`, which hides a NaN, nor
 * `x + 0 = x`, which is wrong for −0. They are applied while a program is made, so that every executor is spared the work.
 */
import { Expr, type Op } from "../../Expr.ts"
import { evaluate, type Scalar } from "../../Scalar.ts"

/** A rule: what an expression with this operation is besides, if it has the form. */
export interface Rewrite {
  readonly name: string
  readonly op: Op
  readonly apply: (args: ReadonlyArray<Expr | Scalar>) => Expr | undefined
}

const isConstant = ({ definition }: Scalar): boolean =>
  definition._tag === "Constant" ||
  (definition._tag === "Apply" && definition.args.every((arg) => arg.definition._tag === "Constant"))

/** The number that an argument is everywhere, if that is known beforehand. */
const knownNumber = (arg: Expr | Scalar | undefined): number | undefined => {
  if (arg instanceof Expr) return arg.operation.op === "fill" ? knownNumber(arg.args[0]) : undefined
  return arg !== undefined && isConstant(arg) ? evaluate(arg, []) : undefined
}

/** Is it 0 everywhere, whatever the numbers of a program are? */
export const isZero = (x: Expr): boolean => knownNumber(x) === 0

/** The tensor among the arguments if the other one is this very number. */
const beside = (x: Expr | Scalar | undefined, other: Expr | Scalar | undefined, number: number): Expr | undefined =>
  x instanceof Expr && Object.is(knownNumber(other), number) ? x : undefined

const negated = (x: Expr | Scalar | undefined): Expr | undefined => {
  if (!(x instanceof Expr) || x.operation.op !== "neg") return undefined
  const [y] = x.args
  return y instanceof Expr ? y : undefined
}

/** All rewrites. Quotients by a scalar are products with its reciprocal, so x/1 is x·1 unless 1 is a tensor. */
export const rewrites: ReadonlyArray<Rewrite> = [
  { name: "x·1 = x", op: "mul", apply: ([x, one]) => beside(x, one, 1) },
  { name: "1·x = x", op: "mul", apply: ([one, x]) => beside(x, one, 1) },
  { name: "x/1 = x", op: "div", apply: ([x, one]) => beside(x, one, 1) },
  { name: "x − 0 = x", op: "sub", apply: ([x, zero]) => beside(x, zero, 0) },
  { name: "−(−x) = x", op: "neg", apply: ([x]) => negated(x) }
]

const rewritten = ({ args, operation }: Expr): Expr | undefined => {
  for (const { apply, op } of rewrites) {
    const found = op === operation.op ? apply(args) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** What an expression is, as far as rewrites tell; the expression itself if they tell nothing. */
export const simplify = (expr: Expr): Expr => {
  let simple = expr
  for (let next = rewritten(simple); next !== undefined; next = rewritten(simple)) simple = next
  return simple
}
