/**
 * Rewrites: what they take an expression for is what it is, bit for bit, and nothing else is taken for anything.
 */
import { assert, describe, it } from "@effect/vitest"
import { Expr, Program, Scalar } from "@optim/core"
import * as fc from "fast-check"
import { rewrites } from "../src/internal/trace/rewrites.ts"
import { float32 } from "./support/randomProgram.ts"
import { evaluate, type Value } from "./support/reference.ts"

const runs = { seed: 41, numRuns: 1000 } as const

const spec = { shape: [1], dtype: "float32" } as const

const x = Expr.input(0, spec)

/** Every form that a rule takes for its argument. */
const forms: { readonly [name: string]: ReadonlyArray<Expr.Expr> } = {
  "x·1 = x": [Expr.mul(x, 1), Expr.div(x, 1), Expr.mul(x, Expr.fullLike(x, 1)), Expr.mul(x, Expr.div(3, 3))],
  "1·x = x": [Expr.mul(1, x), Expr.mul(Expr.fullLike(x, 1), x)],
  "x/1 = x": [Expr.div(x, Expr.fullLike(x, 1))],
  "x − 0 = x": [Expr.sub(x, 0), Expr.sub(x, Expr.zerosLike(x))],
  "−(−x) = x": [Expr.neg(Expr.neg(x))]
}

const programOf = (output: Expr.Expr): Program.Program => Program.make([spec], [output])

/** The number of an expression of one number, computed node by node without any rewrite. */
const compute = (expr: Expr.Expr | Scalar.Scalar, input: Value): Value => {
  if (expr instanceof Scalar.Scalar) return { ...spec, data: Float32Array.of(Scalar.evaluate(expr, [])) }
  if (expr.operation.op === "input") return input
  const args = expr.args.map((arg) => compute(arg, input))
  return evaluate({ operation: expr.operation, args: [], shape: expr.shape, dtype: expr.dtype }, args)
}

describe("rewrites", () => {
  it("have a form each that is tried here", () =>
    assert.deepStrictEqual(
      rewrites.map(({ name }) => name),
      Object.keys(forms)
    ))

  for (const [name, exprs] of Object.entries(forms)) {
    it(`${name} for every number, NaN, zeros and infinities included`, () =>
      fc.assert(
        fc.property(float32, (number) => {
          const input = { ...spec, data: Float32Array.of(number) }
          for (const expr of exprs)
            assert.isTrue(Object.is(compute(expr, input).data[0], input.data[0]), String(number))
        }),
        runs
      ))

    it(`${name} is applied`, () => {
      for (const expr of exprs) {
        const { nodes, outputs } = programOf(Expr.sqrt(expr))
        const ops = nodes.map(({ operation }) => operation.op)
        assert.deepStrictEqual([ops, outputs], [["input", "sqrt"], [1]])
      }
    })
  }

  it("are applied to each other, and leave nothing behind", () => {
    const long = Expr.neg(Expr.neg(Expr.mul(Expr.sub(Expr.neg(Expr.neg(x)), 0), 1)))
    assert.deepStrictEqual(programOf(long).nodes, programOf(x).nodes)
    assert.deepStrictEqual(Program.verify(programOf(Expr.add(long, x))), [])
    assert.strictEqual(programOf(Expr.add(long, x)).nodes.length, 2)
  })

  const kept: { readonly [name: string]: Expr.Expr } = {
    "x·0, which is NaN for NaN": Expr.mul(x, 0),
    "x + 0, which is 0 for −0": Expr.add(x, 0),
    "x − (−0), which is x + 0": Expr.sub(x, -0),
    "0 − x, which is 0 for 0": Expr.sub(0, x),
    "1 / x": Expr.div(1, x),
    "x · −1": Expr.mul(x, -1),
    "x − x, which is NaN for infinities": Expr.sub(x, x),
    "x / x": Expr.div(x, x),
    "−|x|": Expr.neg(Expr.abs(x)),
    "x · s, whatever s is at the moment": Expr.mul(x, Scalar.input("s", 0)),
    "x · f(s)": Expr.mul(x, Expr.div(1, Scalar.input("s", 0))),
    "x · y": Expr.mul(x, Expr.input(1, spec))
  }

  for (const [name, expr] of Object.entries(kept)) {
    it(`leave ${name}`, () => {
      const { nodes } = Program.make([spec, spec], [expr])
      assert.strictEqual(nodes.at(-1)?.operation.op, expr.operation.op)
    })
  }
})
