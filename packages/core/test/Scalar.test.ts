/** Scalars: numbers of the host, in float64, computed once. */
import { assert, describe, it } from "@effect/vitest"
import { Expr, NonFinite, Program, Scalar } from "@optim/core"
import * as Schedules from "@optim/schedules"
import * as fc from "fast-check"
import { message, thrown } from "./support/thrown.ts"

const runs = { seed: 29, numRuns: 300 } as const

const [x, y] = [Scalar.input("x", 0), Scalar.input("y", 1)]

/** The same number: NaN is NaN, and −0 is not 0. */
const identical = (found: unknown, expected: number): void =>
  assert.isTrue(Object.is(found, expected), `expected ${expected}, found ${String(found)}`)

const unary: { readonly [name: string]: readonly [(x: Expr.Host) => Scalar.Scalar, (x: number) => number] } = {
  neg: [Expr.neg, (a) => -a],
  abs: [Expr.abs, Math.abs],
  sqrt: [Expr.sqrt, Math.sqrt],
  exp: [Expr.exp, Math.exp],
  log: [Expr.log, Math.log],
  tanh: [Expr.tanh, Math.tanh],
  sign: [Expr.sign, Math.sign],
  floor: [Expr.floor, Math.floor],
  square: [Expr.square, (a) => a * a]
}

const binary: {
  readonly [name: string]: readonly [(a: Expr.Host, b: Expr.Host) => Scalar.Scalar, (a: number, b: number) => number]
} = {
  add: [Expr.add, (a, b) => a + b],
  sub: [Expr.sub, (a, b) => a - b],
  mul: [Expr.mul, (a, b) => a * b],
  div: [Expr.div, (a, b) => a / b],
  pow: [Expr.pow, (a, b) => a ** b],
  minimum: [Expr.minimum, Math.min],
  maximum: [Expr.maximum, Math.max]
}

describe("laws", () => {
  for (const [name, [word, compute]] of Object.entries(unary)) {
    it(`${name} is computed in float64`, () =>
      fc.assert(
        fc.property(fc.double(), (a) => {
          identical(Scalar.evaluate(word(x), [a]), compute(a))
          identical(Scalar.evaluate(word(a), []), compute(a))
        }),
        runs
      ))
  }

  for (const [name, [word, compute]] of Object.entries(binary)) {
    it(`${name} is computed in float64`, () =>
      fc.assert(
        fc.property(fc.double(), fc.double(), (a, b) => {
          identical(Scalar.evaluate(word(x, y), [a, b]), compute(a, b))
          identical(Scalar.evaluate(word(a, y), [0, b]), compute(a, b))
        }),
        runs
      ))
  }

  it("a program evaluates its scalars like the scalars themselves", () =>
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        const rate = Expr.div(Expr.add(x, 1), Expr.sub(y, x))
        const spec = { shape: [], dtype: "float32" } as const
        const program = Program.make([], [Expr.full(spec, rate)])
        identical(Program.evaluateScalars(program, [a, b]).at(-1), Scalar.evaluate(rate, [a, b]))
      }),
      runs
    ))
})

describe("cases", () => {
  it("words on numbers and scalars make scalars, not expressions", () => {
    assert.instanceOf(Expr.add(1, 2), Scalar.Scalar)
    assert.instanceOf(Expr.div(1, x), Scalar.Scalar)
    assert.instanceOf(Expr.sqrt(2), Scalar.Scalar)
  })

  it("a scalar prints as the term that it is", () => {
    assert.strictEqual(String(Expr.debias(0.9, Scalar.input("step", 0))), "Scalar(sub(1, pow(0.9, add(step, 1))))")
    assert.strictEqual(String(Scalar.constant(-0.5)), "Scalar(-0.5)")
  })

  it("an input that is missing is NaN", () => {
    assert.isNaN(Scalar.evaluate(Scalar.input("late", 3), [1, 2]))
  })

  it("apply gives its function the numbers of its arguments, in order", () => {
    const f: Scalar.Compute = (a = 0, b = 0, c = 0) => 100 * a + 10 * b + c
    assert.strictEqual(Scalar.evaluate(Scalar.apply("f", f, x, Scalar.constant(2), y), [1, 3]), 123)
  })

  it("100,000 scalars deep does not overflow the stack", () => {
    let deep: Scalar.Scalar = x
    for (let level = 0; level < 100_000; level++) deep = Expr.add(deep, 1)
    assert.strictEqual(Scalar.evaluate(deep, [0]), 100_000)
    const program = Program.make([], [Expr.full({ shape: [], dtype: "float32" }, deep)])
    assert.strictEqual(Program.evaluateScalars(program, [0]).at(-1), 100_000)
  })

  it("what is shared is computed once", () => {
    let calls = 0
    const counted: Scalar.Compute = (a = 0) => {
      calls += 1
      return a + 1
    }
    let doubled = Scalar.apply("counted", counted, x)
    for (let level = 0; level < 60; level++) doubled = Expr.add(doubled, doubled)
    assert.strictEqual(Scalar.evaluate(doubled, [0]), 2 ** 60)
    assert.strictEqual(calls, 1)
  })
})

describe("cases: evaluation in a program", () => {
  const spec = { shape: [], dtype: "float32" } as const
  const counting = (name: string) => {
    const counted = { calls: 0, of: (...args: ReadonlyArray<Scalar.Scalar>) => Scalar.apply(name, compute, ...args) }
    const compute: Scalar.Compute = (a = 0, b = 0, c = 0) => {
      counted.calls += 1
      return 100 * a + 10 * b + c
    }
    return counted
  }

  it("computes what depends on no input once, and all else at every step", () => {
    const [fixed, varying] = [counting("fixed"), counting("varying")]
    const constant = fixed.of(Scalar.constant(1), Scalar.constant(2), Scalar.constant(3))
    const program = Program.make([], [Expr.full(spec, varying.of(constant, x, y))])
    const found = [
      [4, 5],
      [6, 7]
    ].map((host) => Program.evaluateScalars(program, host).at(-1))
    assert.deepStrictEqual(found, [12_345, 12_367])
    assert.deepStrictEqual([fixed.calls, varying.calls], [1, 2])
  })

  it("gives numbers of their own each time, also after one that failed", () => {
    const rate = Scalar.schedule((step) => (step === 1 ? Number.NaN : step))(x)
    const program = Program.make([], [Expr.full(spec, Expr.add(rate, 1))])
    const first = Program.evaluateScalars(program, [5])
    assert.instanceOf(
      thrown(() => Program.evaluateScalars(program, [1])),
      NonFinite
    )
    const last = Program.evaluateScalars(program, [7])
    assert.deepStrictEqual([first.at(-1), last.at(-1)], [6, 8])
  })
})

describe("cases: schedules", () => {
  const step = Scalar.input("step", 0)
  const at = (stepSize: Schedules.StepSize, t: number): number => Scalar.evaluate(Scalar.schedule(stepSize)(step), [t])

  it("a number is the same at every step, and asks for none", () => {
    assert.deepStrictEqual(Scalar.schedule(0.5)(step), Scalar.constant(0.5))
  })

  it("a schedule and a function are evaluated at the step", () => {
    const decay = Schedules.exponentialDecay({ stepSize: 1, decaySteps: 1, decayRate: 0.5 })
    assert.strictEqual(at(decay, 3), 0.125)
    assert.strictEqual(
      at((t) => 1 / (1 + t), 3),
      0.25
    )
  })

  it("two leaves share one evaluation of a schedule", () => {
    const rate = Scalar.schedule((t) => t)
    const spec = { shape: [2], dtype: "float32" } as const
    const outputs = [0, 1].map((index) => Expr.mul(rate(step), Expr.input(index, spec)))
    assert.strictEqual(Program.make([spec, spec], outputs).scalars.length, 2)
  })

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`a step size of ${value} says so, and at which step`, () => {
      const error = thrown(() => at((t) => (t === 7 ? value : 1), 7))
      assert.instanceOf(error, NonFinite)
      assert.strictEqual(
        message(() => at(() => value, 7)),
        `Scalar.schedule: the step size is ${value} at step 7, expected a finite number`
      )
    })
  }
})
