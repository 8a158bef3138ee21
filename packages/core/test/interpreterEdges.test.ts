/** The interpreter where tfjs backends disagree, or where a reader may wonder: the same on every backend. */
import { assert, layer } from "@effect/vitest"
import { Expr, Program, Tensors } from "@optim/core"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { tellsApart } from "./support/tolerances.ts"
import { run } from "./support/execution.ts"
import { dataOf, type Value } from "./support/reference.ts"

const float = (...numbers: ReadonlyArray<number>): Value => vector("float32", numbers)
const int = (...numbers: ReadonlyArray<number>): Value => vector("int32", numbers)
const bool = (...numbers: ReadonlyArray<number>): Value => vector("bool", numbers)
const vector = (dtype: Expr.DType, numbers: ReadonlyArray<number>): Value => ({
  shape: [numbers.length],
  dtype,
  data: dataOf(dtype, numbers)
})
const nothing = (...shape: ReadonlyArray<number>): Value => ({ shape, dtype: "float32", data: new Float32Array(0) })

interface Case {
  readonly name: string
  readonly inputs: ReadonlyArray<Value>
  readonly compute: (...inputs: ReadonlyArray<Expr.Expr>) => Expr.Expr
  readonly gives: Value
}

type Word = (a: Expr.Expr, b: Expr.Expr) => Expr.Expr

const one = (name: string, input: Value, word: (x: Expr.Expr) => Expr.Expr, gives: Value): Case => ({
  name,
  inputs: [input],
  compute: (x) => word(x),
  gives
})

const two = (name: string, a: Value, b: Value, word: Word, gives: Value): Case => ({
  name,
  inputs: [a, b],
  compute: (x, y) => word(x, y),
  gives
})

const none = (name: string, made: Expr.Expr, gives: Value): Case => ({ name, inputs: [], compute: () => made, gives })

const nan = Number.NaN
const infinity = Number.POSITIVE_INFINITY
const tiny = 2 ** -149
const huge = 3e38

const cases: ReadonlyArray<Case> = [
  two("maximum with NaN is NaN", float(1, nan, nan), float(nan, 1, nan), Expr.maximum, float(nan, nan, nan)),
  two("minimum with NaN is NaN", float(1, nan, nan), float(nan, 1, nan), Expr.minimum, float(nan, nan, nan)),
  two("maximum takes +0 before −0", float(0, -0, -0), float(-0, 0, -0), Expr.maximum, float(0, 0, -0)),
  two("minimum takes −0 before +0", float(0, -0, 0), float(-0, 0, 0), Expr.minimum, float(-0, -0, 0)),
  two("minimum of int32 is exact", int(-16777217, -(2 ** 31)), int(5, 5), Expr.minimum, int(-16777217, -(2 ** 31))),
  one("the sign of NaN is NaN", float(nan), Expr.sign, float(nan)),
  one("the sign of the least number is 1", float(tiny, -tiny), Expr.sign, float(1, -1)),
  one("the sign of a zero is that zero", float(0, -0), Expr.sign, float(0, -0)),
  one("−int32 is exact", int(16777217, 2 ** 31 - 1, 0), Expr.neg, int(-16777217, 1 - 2 ** 31, 0)),
  one("|int32| is exact", int(-16777217, 2 ** 31 - 1), Expr.abs, int(16777217, 2 ** 31 - 1)),
  one("the least int32 has no opposite", int(-(2 ** 31)), Expr.neg, int(-(2 ** 31))),
  two("int32 wraps around", int(2 ** 31 - 1, 65536), int(1, 0), Expr.add, int(-(2 ** 31), 65536)),
  two("a product of int32 wraps around", int(65536, 65537), int(65536, 65537), Expr.mul, int(0, 131073)),
  two("1 to any power is 1", float(1, 1, 1), float(nan, infinity, -3), Expr.pow, float(1, 1, 1)),
  two("(−1)^±∞ is 1", float(-1, -1), float(infinity, -infinity), Expr.pow, float(1, 1)),
  two("anything to the power 0 is 1", float(nan, 0), float(0, -0), Expr.pow, float(1, 1)),
  two("NaN equals nothing", float(nan, 1), float(nan, 1), Expr.equal, bool(0, 1)),
  two("NaN differs from everything", float(nan, 1), float(nan, 1), Expr.notEqual, bool(1, 0)),
  two("both zeros are equal", float(0), float(-0), Expr.equal, bool(1)),
  one(
    "what is not chosen does not matter",
    float(0, 4),
    (x) => Expr.where(Expr.greater(x, 0), Expr.div(1, x), 0),
    float(0, 0.25)
  ),
  one(
    "choosing a scalar over nothing is nothing",
    nothing(1, 0),
    (x) => Expr.where(Expr.less(x, 1), 2, x),
    nothing(1, 0)
  ),
  two("choosing among bools", bool(0, 0, 1, 1), bool(0, 1, 0, 1), (a, b) => Expr.where(a, b, a), bool(0, 0, 0, 1)),
  one("a scalar among bools", bool(0, 0, 1, 1), (x) => Expr.where(x, 0, Expr.not(x)), bool(1, 1, 0, 0)),
  one("float32 to bool: all but zeros", float(0, -0, 0.5, nan, tiny), (x) => Expr.cast(x, "bool"), bool(0, 0, 1, 1, 1)),
  one("int32 to bool: all but zero", int(0, 256, -1), (x) => Expr.cast(x, "bool"), bool(0, 1, 1)),
  one("bool to float32", bool(0, 1), (x) => Expr.cast(x, "float32"), float(0, 1)),
  one("bool to int32", bool(0, 1), (x) => Expr.cast(x, "int32"), int(0, 1)),
  one("float32 to int32 cuts", float(1.9, -1.9), (x) => Expr.cast(x, "int32"), int(1, -1)),
  one("int32 to float32 rounds", int(16777217), (x) => Expr.cast(x, "float32"), float(16777216)),
  none("a bool of any number but 0 is true", Expr.full({ shape: [2], dtype: "bool" }, 256), bool(1, 1)),
  none("an int32 of a fraction is cut", Expr.full({ shape: [1], dtype: "int32" }, -1.5), int(-1)),
  none("a float32 of a small number is 0", Expr.full({ shape: [1], dtype: "float32" }, 1e-46), float(0)),
  one("an int32 is compared with a number that is cut", int(0, 1), (x) => Expr.less(x, 0.5), bool(0, 0)),
  one("the sum over nothing is 0", nothing(2, 0), (x) => Expr.sum(x, { axes: [1] }), float(0, 0)),
  one("the mean over nothing is NaN", nothing(2, 0), (x) => Expr.mean(x, { axes: [1] }), float(nan, nan)),
  one("the maximum over nothing is −∞", nothing(1, 0), (x) => Expr.max(x, { axes: [1] }), float(-infinity)),
  one("the minimum over nothing is +∞", nothing(1, 0), (x) => Expr.min(x, { axes: [1] }), float(infinity)),
  one("the maximum over no int32", int(), (x) => Expr.reshape(Expr.max(x), [1]), int(-(2 ** 31))),
  one("the minimum over no int32", int(), (x) => Expr.reshape(Expr.min(x), [1]), int(2 ** 31 - 1)),
  one("a maximum over NaN is NaN", float(1, nan, 2), (x) => Expr.max(x, { keepDims: true }), float(nan)),
  one("a minimum over NaN is NaN", float(1, nan, 2), (x) => Expr.min(x, { keepDims: true }), float(nan)),
  one("a maximum over zeros is +0 if there is one", float(-0, 0, -0), (x) => Expr.max(x, { keepDims: true }), float(0)),
  one("a maximum over −0 and less is −0", float(-1, -0, -tiny), (x) => Expr.max(x, { keepDims: true }), float(-0)),
  one("a minimum over zeros is −0 if there is one", float(0, -0, 1), (x) => Expr.min(x, { keepDims: true }), float(-0)),
  one("a mean adds before it divides", float(tiny, tiny), (x) => Expr.mean(x, { keepDims: true }), float(tiny)),
  one("a mean overflows with its sum", float(huge, huge), (x) => Expr.mean(x, { keepDims: true }), float(infinity)),
  one("transposing nothing", nothing(0, 2, 2), (x) => Expr.transpose(x), nothing(2, 2, 0)),
  one("stretching nothing", nothing(1, 0), (x) => Expr.broadcastTo(x, [3, 0]), nothing(3, 0)),
  one("nothing is still nothing", nothing(0, 3), (x) => Expr.add(Expr.sqrt(Expr.neg(x)), 1), nothing(0, 3)),
  two(
    "a matrix without rows",
    nothing(0, 2),
    nothing(2, 0),
    (a) => Expr.matMul(a, Expr.full({ shape: [2, 3], dtype: "float32" }, 1)),
    nothing(0, 3)
  ),
  two(
    "a matrix without columns",
    nothing(0, 2),
    nothing(2, 0),
    (_, b) => Expr.matMul(Expr.full({ shape: [3, 2], dtype: "float32" }, 1), b),
    nothing(3, 0)
  ),
  two(
    "a product of empty matrices is 0",
    nothing(1, 0),
    nothing(0, 1),
    (a, b) => Expr.reshape(Expr.matMul(a, b), [1]),
    float(0)
  ),
  // 5 / 3 is 1.6666666; the reciprocal of 3 in float32 is a little more than a third
  one(
    "a quotient by a scalar is a product",
    float(5),
    (x) => Expr.div(x, 3),
    float(Math.fround(5 * Math.fround(1 / 3)))
  ),
  // Rounded once: 0.1 and 0.3 in float32 would give 0.21000002.
  one(
    "scalars are multiplied before they meet a tensor",
    float(7),
    (x) => Expr.mul(0.1, Expr.mul(0.3, x)),
    float(Math.fround(7 * Math.fround(0.1 * 0.3)))
  ),
  one(
    "scalars whose product is beyond float32 are multiplied one after the other",
    float(Math.fround(1e-38)),
    (x) => Expr.mul(1e30, Expr.mul(1e30, x)),
    float(Math.fround(Math.fround(Math.fround(1e30) * Math.fround(1e-38)) * Math.fround(1e30)))
  )
]

const specOf = ({ dtype, shape }: Value): Expr.TensorSpec => ({ shape, dtype })

const programOf = ({ compute, inputs }: Case): Program.Program =>
  Program.make(inputs.map(specOf), [compute(...inputs.map((input, index) => Expr.input(index, specOf(input))))])

for (const backend of backends) {
  layer(backend.layer)(`at the edges on ${backend.name}`, (it) => {
    for (const edge of cases) {
      it.effect.runIf(tellsApart(backend, [...edge.inputs, edge.gives]))(edge.name, () =>
        Effect.gen(function* () {
          const outputs = yield* run(yield* Tensors.Tensors, {
            program: programOf(edge),
            inputs: edge.inputs,
            host: []
          })
          assert.deepStrictEqual(outputs, [edge.gives])
        })
      )
    }
  })
}
