/** Expressions: which shape and dtype each word gives, and what it says when there is none. */
import { assert, describe, it } from "@effect/vitest"
import { Expr, InvalidExpression, Program, Scalar } from "@optim/core"
import * as fc from "fast-check"
import { exact, randomProgram } from "./support/randomProgram.ts"
import { sizeOf } from "./support/reference.ts"
import { message, thrown } from "./support/thrown.ts"

const runs = { seed: 23, numRuns: 200 } as const

const tensor = (dtype: Expr.DType, ...shape: ReadonlyArray<number>): Expr.Expr => Expr.input(0, { shape, dtype })
const float = (...shape: ReadonlyArray<number>): Expr.Expr => tensor("float32", ...shape)
const int = (...shape: ReadonlyArray<number>): Expr.Expr => tensor("int32", ...shape)
const bool = (...shape: ReadonlyArray<number>): Expr.Expr => tensor("bool", ...shape)

const spec = ({ dtype, shape }: Expr.Expr): string => `${dtype} [${shape.join(", ")}]`

/** The words that take one tensor and keep its shape and dtype, and those dtypes. */
const unary = {
  neg: [Expr.neg, "float32 int32"],
  abs: [Expr.abs, "float32 int32"],
  sign: [Expr.sign, "float32 int32"],
  square: [Expr.square, "float32 int32"],
  sqrt: [Expr.sqrt, "float32"],
  exp: [Expr.exp, "float32"],
  log: [Expr.log, "float32"],
  tanh: [Expr.tanh, "float32"],
  floor: [Expr.floor, "float32"],
  not: [Expr.not, "bool"]
} as const

const arithmetic = {
  add: [Expr.add, "float32 int32"],
  sub: [Expr.sub, "float32 int32"],
  mul: [Expr.mul, "float32 int32"],
  minimum: [Expr.minimum, "float32 int32"],
  maximum: [Expr.maximum, "float32 int32"],
  div: [Expr.div, "float32"],
  pow: [Expr.pow, "float32"],
  and: [Expr.and, "bool"],
  or: [Expr.or, "bool"]
} as const

const comparisons = {
  less: Expr.less,
  lessEqual: Expr.lessEqual,
  greater: Expr.greater,
  greaterEqual: Expr.greaterEqual,
  equal: Expr.equal,
  notEqual: Expr.notEqual
}

const dtypes = ["float32", "int32", "bool"] as const

const outcome = (run: () => Expr.Expr): string => {
  try {
    return spec(run())
  } catch (error) {
    assert.instanceOf(error, InvalidExpression)
    return "refused"
  }
}

/** For each dtype what a word gives that keeps some of them. */
const keeping = (allowed: string): ReadonlyArray<string> =>
  dtypes.map((dtype) => (allowed.split(" ").includes(dtype) ? `${dtype} [2, 3]` : "refused"))

describe("laws", () => {
  it("nothing has another size than its shape says, and reshaping keeps it", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => {
        for (const { args, operation, shape } of program.nodes) {
          assert.isTrue(shape.every((size) => Number.isInteger(size) && size >= 0))
          const [first] = args
          if ((operation.op === "reshape" || operation.op === "transpose") && first?._tag === "Node")
            assert.strictEqual(sizeOf(shape), sizeOf(program.nodes[first.id]?.shape ?? []))
        }
      }),
      runs
    ))

  it("elementwise operations have the shape of their arguments, or these are of shape []", () =>
    fc.assert(
      fc.property(randomProgram(exact), ({ program }) => {
        for (const { args, operation, shape } of program.nodes) {
          if (!(operation.op in arithmetic || operation.op in unary || operation.op in comparisons)) continue
          for (const arg of args) if (arg._tag === "Node") assert.deepStrictEqual(program.nodes[arg.id]?.shape, shape)
        }
      }),
      runs
    ))

  it("transposing twice, the second time back, is the same shape", () =>
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (permutation) => {
        const back = permutation.map((_, axis) => permutation.indexOf(axis))
        assert.deepStrictEqual(Expr.transpose(Expr.transpose(float(2, 3, 4, 5), permutation), back).shape, [2, 3, 4, 5])
      }),
      runs
    ))
})

describe("cases: one argument", () => {
  for (const [name, [word, allowed]] of Object.entries(unary)) {
    it(`${name} keeps ${allowed} and refuses what is not`, () =>
      assert.deepStrictEqual(
        dtypes.map((dtype) => outcome(() => word(tensor(dtype, 2, 3)))),
        keeping(allowed)
      ))
  }

  it("full, zerosLike and fullLike take shape and dtype, and nothing else, of what they are like", () => {
    assert.strictEqual(spec(Expr.full({ shape: [2], dtype: "bool" }, 1)), "bool [2]")
    assert.strictEqual(spec(Expr.zerosLike(int(3, 4))), "int32 [3, 4]")
    assert.strictEqual(spec(Expr.fullLike(float(), 2)), "float32 []")
    assert.deepStrictEqual(Expr.zerosLike(float(2)).args, [Scalar.constant(0)])
  })

  it("cast changes the dtype, and is nothing if it is that already", () => {
    const x = float(2, 3)
    assert.strictEqual(spec(Expr.cast(x, "int32")), "int32 [2, 3]")
    assert.strictEqual(Expr.cast(x, "float32"), x)
  })

  it("a symbolic tensor says what it is", () => {
    assert.strictEqual(String(Expr.neg(float(2, 3))), "Expr(neg: float32 [2, 3])")
  })
})

describe("cases: two arguments", () => {
  for (const [name, [word, allowed]] of Object.entries(arithmetic)) {
    it(`${name} of two ${allowed} is one, and refuses what is not`, () =>
      assert.deepStrictEqual(
        dtypes.map((dtype) => outcome(() => word(tensor(dtype, 2, 3), tensor(dtype, 2, 3)))),
        keeping(allowed)
      ))
  }

  for (const [name, word] of Object.entries(comparisons)) {
    it(`${name} gives bools, of any dtype`, () => {
      for (const dtype of dtypes)
        assert.strictEqual(spec(word(tensor(dtype, 2, 3), tensor(dtype, 2, 3))), "bool [2, 3]")
      assert.strictEqual(spec(word(float(2), 1)), "bool [2]")
      assert.strictEqual(spec(word(Scalar.input("step", 0), int(2))), "bool [2]")
    })
  }

  it("an expression of shape [] and a scalar go with any shape, on either side", () => {
    for (const [a, b] of [
      [float(2, 3), float()],
      [float(), float(2, 3)],
      [float(2, 3), 5],
      [Scalar.constant(5), float(2, 3)]
    ] as const)
      assert.strictEqual(spec(Expr.add(a, b as Expr.Expr)), "float32 [2, 3]")
  })

  it("an expression of shape [] is stretched, a scalar stays one", () => {
    const sum = Expr.add(float(2), Expr.input(1, { shape: [], dtype: "float32" }))
    assert.deepStrictEqual(sum.args.map(String), ["Expr(input: float32 [2])", "Expr(broadcast: float32 [2])"])
    assert.deepStrictEqual(Expr.add(float(2), 5).args.map(String), ["Expr(input: float32 [2])", "Scalar(5)"])
  })

  it("where has the dtype of what is chosen, float32 among scalars, and the shape of all", () => {
    assert.strictEqual(spec(Expr.where(bool(2), int(2), 0)), "int32 [2]")
    assert.strictEqual(spec(Expr.where(bool(2), 1, 0)), "float32 [2]")
    assert.strictEqual(spec(Expr.where(bool(), float(2, 3), float())), "float32 [2, 3]")
    assert.strictEqual(spec(Expr.where(bool(2), bool(2), bool())), "bool [2]")
  })

  it("matMul multiplies [n, k] and [k, m]", () => {
    assert.strictEqual(spec(Expr.matMul(float(2, 3), float(3, 4))), "float32 [2, 4]")
    assert.strictEqual(spec(Expr.matMul(float(0, 3), float(3, 0))), "float32 [0, 0]")
  })

  it("ema and debias are what they say", () => {
    const [m, x] = [float(2), Expr.input(1, { shape: [2], dtype: "float32" })]
    const step = Scalar.input("step", 0)
    const same = Expr.add(Expr.mul(Expr.sub(1, 0.9), x), Expr.mul(0.9, m))
    const specs = [
      { shape: [2], dtype: "float32" },
      { shape: [2], dtype: "float32" }
    ] as const
    assert.deepStrictEqual(Program.make(specs, [Expr.ema(0.9, m, x)]), Program.make(specs, [same]))
    assert.strictEqual(Scalar.evaluate(Expr.debias(0.9, step), [0]), 1 - 0.9)
    assert.strictEqual(Scalar.evaluate(Expr.debias(0.9, step), [9]), 1 - 0.9 ** 10)
  })
})

describe("cases: division", () => {
  const quotient = Expr.div(float(2), Scalar.input("d", 0))

  it("a tensor divided by a scalar is multiplied by its reciprocal, formed on the host in float64", () => {
    assert.strictEqual(quotient.operation.op, "mul")
    assert.strictEqual(Scalar.evaluate(quotient.args[1] as Scalar.Scalar, [3]), 1 / 3)
  })

  it("a scalar divided by a tensor, and a tensor by one of shape [], are divided", () => {
    assert.strictEqual(Expr.div(1, float(2)).operation.op, "div")
    assert.strictEqual(Expr.div(float(2), float()).operation.op, "div")
  })
})

describe("cases: products with scalars", () => {
  const [a, b] = [Scalar.input("a", 0), Scalar.input("b", 1)]
  const x = float(2)

  it("are one product, whose scalars are multiplied on the host in float64", () => {
    const products = [
      Expr.mul(a, Expr.mul(b, x)),
      Expr.mul(a, Expr.mul(x, b)),
      Expr.mul(Expr.mul(b, x), a),
      Expr.mul(Expr.mul(x, b), a)
    ]
    for (const { args, operation } of products) {
      assert.strictEqual(operation.op, "mul")
      assert.strictEqual(args[1], x)
      assert.strictEqual(Scalar.evaluate(args[0] as Scalar.Scalar, [0.1, 0.3]), 0.1 * 0.3)
    }
    const scaled = Expr.mul(a, Expr.div(Expr.mul(2, x), b)).args[0] as Scalar.Scalar
    assert.strictEqual(Scalar.evaluate(scaled, [3, 7]), 3 * ((1 / 7) * 2))
  })

  it("stay apart where a tensor comes between them", () => {
    const [tensor, product] = [float(2), Expr.mul(b, x)]
    assert.deepStrictEqual(Expr.mul(tensor, product).args, [tensor, product])
    assert.deepStrictEqual(Expr.mul(a, Expr.mul(tensor, x)).args[0], a)
    const negated = Expr.neg(product)
    assert.deepStrictEqual(Expr.mul(a, negated).args, [a, negated])
  })

  it("stay apart for integers, where each scalar is cut before it is used", () => {
    const product = Expr.mul(0.5, Expr.input(0, { shape: [2], dtype: "int32" }))
    assert.strictEqual(Expr.mul(4, product).args[1], product)
  })

  it("stay apart where two constants leave the range of float32, as 1e30·(1e30·1e-38) does", () => {
    for (const constant of [1e30, 1e-30]) {
      const product = Expr.mul(constant, x)
      assert.strictEqual(Expr.mul(constant, product).args[1], product)
      assert.strictEqual(Expr.mul(1 / constant, product).args[1], x)
    }
    for (const special of [0, Number.NaN, Number.POSITIVE_INFINITY, 1e-40]) {
      assert.strictEqual(Expr.mul(special, Expr.mul(1e-30, x)).args[1], x)
    }
  })
})

describe("cases: shapes", () => {
  it("reshape keeps the number of elements, and is nothing to the same shape", () => {
    const x = float(2, 6)
    assert.deepStrictEqual(Expr.reshape(x, [3, 4]).shape, [3, 4])
    assert.deepStrictEqual(Expr.reshape(float(), [1, 1]).shape, [1, 1])
    assert.deepStrictEqual(Expr.reshape(float(0, 3), [5, 0]).shape, [5, 0])
    assert.strictEqual(Expr.reshape(x, [2, 6]), x)
  })

  it("broadcastTo stretches axes of size 1 and adds axes in front, and is nothing to the same shape", () => {
    const x = float(2, 1)
    assert.deepStrictEqual(Expr.broadcastTo(x, [4, 2, 3]).shape, [4, 2, 3])
    assert.deepStrictEqual(Expr.broadcastTo(float(1), [0]).shape, [0])
    assert.strictEqual(Expr.broadcastTo(x, [2, 1]), x)
  })

  it("transpose takes the axes in a given order, or reversed", () => {
    assert.deepStrictEqual(Expr.transpose(float(2, 3, 4), [1, 2, 0]).shape, [3, 4, 2])
    assert.deepStrictEqual(Expr.transpose(float(2, 3, 4)).shape, [4, 3, 2])
  })

  for (const [name, reduce] of Object.entries({ sum: Expr.sum, max: Expr.max, min: Expr.min, mean: Expr.mean })) {
    it(`${name} takes away all axes, or those it is told, or leaves them as 1`, () => {
      const x = float(2, 3, 4)
      assert.strictEqual(spec(reduce(x)), "float32 []")
      assert.deepStrictEqual(reduce(x, { axes: [2, 0, -1] }).shape, [3])
      assert.deepStrictEqual(reduce(x, { axes: [-2], keepDims: true }).shape, [2, 1, 4])
      assert.deepStrictEqual(reduce(x, { keepDims: true }).shape, [1, 1, 1])
      assert.strictEqual(reduce(x, { axes: [] }), x)
    })
  }
})

/** One row for every kind of message. */
const refusals: { readonly [message: string]: () => unknown } = {
  "neg: a bool tensor has no arithmetic; cast it first": () => Expr.neg(bool(2)),
  "add: a bool tensor has no arithmetic; cast it first": () => Expr.add(bool(2), 1),
  "sum: a bool tensor has no arithmetic; cast it first": () => Expr.sum(bool(2)),
  "sqrt: expected float32, found int32; cast it first": () => Expr.sqrt(int(2)),
  "pow: expected float32, found int32; cast it first": () => Expr.pow(int(2), 2),
  "div: expected float32, found int32; cast it first": () => Expr.div(int(2), 2),
  "div: expected float32, found bool; cast it first": () => Expr.div(1, bool(2)),
  "mean: expected float32, found int32; cast it first": () => Expr.mean(int(2)),
  "matMul: expected float32, found int32; cast it first": () => Expr.matMul(int(2, 2), int(2, 2)),
  "add: dtypes differ: float32 and int32; cast one of them": () => Expr.add(float(2), int(2)),
  "where: dtypes differ: float32 and bool; cast one of them": () => Expr.where(bool(2), float(2), bool(2)),
  "matMul: dtypes differ: float32 and int32; cast one of them": () => Expr.matMul(float(2, 2), int(2, 2)),
  "mul: shapes differ: [2, 3] and [3]; use broadcastTo": () => Expr.mul(float(2, 3), float(3)),
  "where: shapes differ: [2] and [3]; use broadcastTo": () => Expr.where(bool(2), float(3), 0),
  "less: needs at least one tensor; compare numbers in a schedule instead": () => Expr.less(1, 2),
  "and: expected bool tensors, found int32": () => Expr.and(int(2), int(2)),
  "not: expected a bool tensor, found float32": () => Expr.not(float(2)),
  "where: the condition is float32, expected bool": () => Expr.where(float(2), 1, 0),
  "reshape: [2, 3] has 6 elements, [4] has 4": () => Expr.reshape(float(2, 3), [4]),
  "broadcastTo: [2] does not stretch to [3]": () => Expr.broadcastTo(float(2), [3]),
  "broadcastTo: [1, 2] does not stretch to [2]": () => Expr.broadcastTo(float(1, 2), [2]),
  "transpose: [0, 0] does not permute the axes of [2, 3]": () => Expr.transpose(float(2, 3), [0, 0]),
  "transpose: [0] does not permute the axes of [2, 3]": () => Expr.transpose(float(2, 3), [0]),
  "sum: axis 2 is not an axis of [2, 3]": () => Expr.sum(float(2, 3), { axes: [2] }),
  "max: axis -3 is not an axis of [2, 3]": () => Expr.max(float(2, 3), { axes: [-3] }),
  "matMul: [2, 3] × [2, 3] is not a product of matrices": () => Expr.matMul(float(2, 3), float(2, 3)),
  "matMul: [2] × [2] is not a product of matrices": () => Expr.matMul(float(2), float(2))
}

describe("cases: refusals", () => {
  for (const [expected, refused] of Object.entries(refusals)) {
    it(`says ${expected}`, () => {
      assert.instanceOf(thrown(refused), InvalidExpression)
      assert.strictEqual(message(refused), expected)
    })
  }
})
