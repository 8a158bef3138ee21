/**
 * Functions of trees: laws on random trees, edges, who owns what, and how they run. Their numbers are in goldenTrees.
 */
import { type Expr, Optimizer, type OptimError, type Plan, Tensors, TensorTree } from "@optim/core"
import { PyTree } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as fc from "fast-check"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { firsts, values } from "./support/numbers.ts"
import { plansOf } from "./support/plans.ts"
import { forAll } from "./support/property.ts"
import { message } from "./support/thrown.ts"
import { flushed, isWithin, precision } from "./support/tolerances.ts"

const { scoped } = Tensors

/** Float32 numbers that sums and products of a few do not take out of range; NaN and infinities among them. */
const float = fc.oneof(
  { weight: 9, arbitrary: fc.float({ min: -1000, max: 1000, noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity) }
)

type Kind = "number" | "array" | ReadonlyArray<number>

const kinds: ReadonlyArray<Kind> = ["number", "array", [], [3], [0], [2, 3]]

/** Two trees of one structure with leaves of all kinds: numbers, typed arrays, tensors of several ranks. */
const pair = fc
  .array(fc.constantFrom(...kinds), { maxLength: 4 })
  .chain((kinds) =>
    fc.tuple(
      fc.constant(kinds),
      fc.array(float, { minLength: 6, maxLength: 6 }),
      fc.array(float, { minLength: 6, maxLength: 6 })
    )
  )

const leafOf = (kind: Kind, numbers: ReadonlyArray<number>): Effect.Effect<tf.Tensor | number | Float32Array> =>
  Effect.sync(() => {
    if (kind === "number") return numbers[0] ?? 0
    if (kind === "array") return Float32Array.from(numbers)
    return tf.tensor(numbers.slice(0, tf.util.sizeFromShape([...kind])), [...kind], "float32")
  })

const treeOf = (kinds: ReadonlyArray<Kind>, numbers: ReadonlyArray<number>) =>
  scoped(
    Effect.map(
      Effect.forEach(kinds, (kind) => leafOf(kind, numbers)),
      (leaves) => ({ all: leaves })
    )
  )

const zipped = Effect.fnUntraced(function* (x: unknown, y: unknown, f: (a: number, b: number) => number) {
  const [some, others] = [yield* values(x), yield* values(y)]
  return some.map((leaf, i) => leaf.map((a, j) => Math.fround(f(a, others[i]?.[j] ?? Number.NaN))))
})

/** All numbers, with the sign of zero. */
const flat = (tree: unknown): Effect.Effect<ReadonlyArray<number>> =>
  Effect.map(values(tree), (leaves) => leaves.flat())

const failure = <A>(
  effect: Effect.Effect<A, OptimError, Tensors.Tensors>
): Effect.Effect<string, never, Tensors.Tensors> =>
  effect.pipe(
    Effect.map(() => assert.fail("it succeeded")),
    Effect.catch((error) => Effect.succeed(error.message))
  )

for (const backend of backends) {
  layer(backend.layer)(`trees on ${backend.name}`, (it) => {
    /** The numbers as the backend sees them. */
    const own = (numbers: ReadonlyArray<number>): ReadonlyArray<number> =>
      precision[backend.name].flushesSubnormals ? numbers.map(flushed) : numbers

    describe("laws", () => {
      it.effect("arithmetic is that of the elements, in float32, whatever kinds of leaves", () =>
        forAll(pair, ([kinds, a, b]) =>
          Effect.gen(function* () {
            const [x, y] = [yield* treeOf(kinds, own(a)), yield* treeOf(kinds, own(b))]
            const check = Effect.fnUntraced(function* (
              op: Expr.Op,
              made: Effect.Effect<unknown, OptimError, Tensors.Tensors>,
              word: (a: number, b: number) => number
            ) {
              const [found, expected] = [yield* values(yield* scoped(made)), yield* zipped(x, y, word)]
              const isNear = (a: number, leaf: number, at: number): boolean =>
                isWithin(backend, op, a, expected[leaf]?.[at] ?? Number.NaN)
              if (!found.every((numbers, leaf) => numbers.every((a, at) => isNear(a, leaf, at))))
                assert.deepStrictEqual(found, expected, op)
            })
            yield* check("add", TensorTree.add(x, y), (a, b) => a + b)
            yield* check("sub", TensorTree.sub(x, y), (a, b) => a - b)
            yield* check("mul", TensorTree.mul(x, y), (a, b) => a * b)
            yield* check("div", TensorTree.div(x, y), (a, b) => a / b)
            yield* check("add", TensorTree.add(x, y, y), (a, b) => Math.fround(a + b) + b)
            yield* check("mul", TensorTree.scale(x, 0.5), (a) => a * 0.5)
            yield* check("add", TensorTree.addScale(x, 0.5, y), (a, b) => a + Math.fround(0.5 * b))
            yield* check("min", TensorTree.clip(x, { minValue: -1, maxValue: 2 }), (a) => Math.min(Math.max(a, -1), 2))
          })
        )
      )

      it.effect("measures are those of all elements as one vector", () =>
        forAll(pair, ([kinds, a]) =>
          Effect.gen(function* () {
            const x = yield* treeOf(kinds, own(a))
            const all = yield* flat(x)
            assert.strictEqual(TensorTree.size(x), all.length)
            assert.deepStrictEqual(yield* TensorTree.max(x), Math.max(...all))
            assert.deepStrictEqual(yield* TensorTree.min(x), Math.min(...all))
            assert.deepStrictEqual(yield* TensorTree.norm(x, { ord: "inf" }), Math.max(0, ...all.map(Math.abs)))
            assert.deepStrictEqual(yield* TensorTree.norm(x), yield* Optimizer.l2Norm(x))
            assert.deepStrictEqual(yield* TensorTree.norm(x, { squared: true }), yield* TensorTree.vdot(x, x))
          })
        )
      )

      it.effect("what is chosen is what was given, for one condition and for many", () =>
        forAll(pair, ([kinds, a, b]) =>
          Effect.gen(function* () {
            const [x, y] = [yield* treeOf(kinds, own(a)), yield* treeOf(kinds, own(b))]
            const isLess = yield* scoped(
              Effect.sync(() => PyTree.map(x, y, (a, b) => tf.less(a as tf.Tensor, b as tf.Tensor)))
            )
            assert.deepStrictEqual(
              yield* values(yield* scoped(TensorTree.where(isLess, x, y))),
              yield* zipped(x, y, (a, b) => (a < b ? a : b))
            )
            for (const holds of [true, false]) {
              const condition = yield* scoped(Effect.sync(() => tf.scalar(holds, "bool")))
              const expected = yield* values(holds ? x : y)
              assert.deepStrictEqual(yield* values(yield* scoped(TensorTree.where(holds, x, y))), expected)
              assert.deepStrictEqual(yield* values(yield* scoped(TensorTree.where(condition, x, y))), expected)
            }
          })
        )
      )

      it.effect("a tree is near itself, and near what differs within the tolerance, as NumPy has it", () =>
        forAll(pair, ([kinds, a, b]) =>
          Effect.gen(function* () {
            const [x, y] = [yield* treeOf(kinds, own(a)), yield* treeOf(kinds, own(b))]
            const near = (a: number, b: number): boolean =>
              a === b || (Number.isFinite(b) && Math.abs(a - b) <= 100 + 0.5 * Math.abs(b))
            const [as, bs] = [yield* flat(x), yield* flat(y)]
            const expected = as.every((a, index) => near(a, bs[index] ?? 0))
            assert.strictEqual(yield* TensorTree.allClose(x, y, { atol: 100, rtol: 0.5 }), expected)
            assert.strictEqual(yield* TensorTree.allClose(x, x), !as.some(Number.isNaN))
            assert.isTrue(yield* TensorTree.allClose(x, x, { equalNan: true }))
          })
        )
      )
    })

    describe("edges", () => {
      it.effect("a tree without leaves, or with leaves without elements", () =>
        leavesNothing(
          Effect.gen(function* () {
            for (const tree of [null, {}, { a: new Float32Array(0) }]) {
              assert.strictEqual(TensorTree.size(tree), 0)
              assert.strictEqual(yield* TensorTree.sum(tree), 0)
              assert.strictEqual(yield* TensorTree.vdot(tree, tree), 0)
              assert.strictEqual(yield* TensorTree.max(tree), -Infinity)
              assert.strictEqual(yield* TensorTree.min(tree), Infinity)
              for (const ord of [1, 2, "inf"] as const) assert.strictEqual(yield* TensorTree.norm(tree, { ord }), 0)
              assert.isTrue(yield* TensorTree.allClose(tree, tree))
            }
            assert.deepStrictEqual(yield* TensorTree.add({ a: null }, { a: null }), { a: null })
          })
        )
      )

      it.effect("no leaf counts as none beside others, and one NaN makes NaN", () =>
        Effect.gen(function* () {
          const tree = { a: new Float32Array(0), b: Float32Array.of(-3, -2) }
          assert.strictEqual(yield* TensorTree.max(tree), -2)
          assert.strictEqual(yield* TensorTree.norm(tree, { ord: 1, squared: true }), 25)
          assert.strictEqual(yield* TensorTree.norm(tree, { ord: "inf", squared: true }), 9)
          const unsound = { ...tree, c: Number.NaN }
          assert.isNaN(yield* TensorTree.max(unsound))
          assert.isNaN(yield* TensorTree.min(unsound))
          assert.isNaN(yield* TensorTree.norm(unsound, { ord: "inf" }))
        })
      )

      it.effect("without a bound, clip bounds nothing on that side", () =>
        Effect.gen(function* () {
          const tree = { a: Float32Array.of(-Infinity, -2, Number.NaN, 2, Infinity) }
          const { a } = yield* scoped(TensorTree.clip(tree, { maxValue: 1 }))
          assert.deepStrictEqual(yield* values(a), [[-Infinity, -2, Number.NaN, 1, 1]])
          const { a: same } = yield* scoped(TensorTree.clip(tree, {}))
          assert.deepStrictEqual(yield* values(same), [[...tree.a]])
        }).pipe(Effect.scoped)
      )

      it.effect("dtypes are kept, or are what is asked for", () =>
        leavesNothing(
          Effect.gen(function* () {
            const tree = yield* scoped(
              Effect.sync(() => ({
                f: tf.tensor1d([-1.5, 0, 2.5]),
                i: tf.tensor1d([-1, 0, 2], "int32"),
                b: tf.tensor1d([true, false, true], "bool")
              }))
            )
            const dtypes = (made: typeof tree) => [made.b.dtype, made.f.dtype, made.i.dtype]
            const ones = yield* scoped(TensorTree.onesLike(tree))
            assert.deepStrictEqual(dtypes(ones), ["bool", "float32", "int32"])
            assert.deepStrictEqual(yield* values(ones), [
              [1, 1, 1],
              [1, 1, 1],
              [1, 1, 1]
            ])
            const full = yield* scoped(TensorTree.fullLike(tree, 2.5, { dtype: "int32" }))
            assert.deepStrictEqual(dtypes(full), ["int32", "int32", "int32"])
            assert.deepStrictEqual(yield* values(full), [
              [2, 2, 2],
              [2, 2, 2],
              [2, 2, 2]
            ])
            const floats = yield* scoped(TensorTree.cast(tree, "float32"))
            assert.deepStrictEqual(dtypes(floats), ["float32", "float32", "float32"])
            assert.deepStrictEqual(yield* values(floats), [
              [1, 0, 1],
              [-1.5, 0, 2.5],
              [-1, 0, 2]
            ])
            const integers = yield* scoped(TensorTree.cast(tree, "int32"))
            assert.deepStrictEqual(yield* values(integers), [
              [1, 0, 1],
              [-1, 0, 2],
              [-1, 0, 2]
            ])
            const booleans = yield* scoped(TensorTree.cast(tree, "bool"))
            assert.deepStrictEqual(yield* values(booleans), [
              [1, 0, 1],
              [1, 0, 1],
              [1, 0, 1]
            ])
            assert.strictEqual(TensorTree.size(tree), 9)
          })
        )
      )

      it.effect("the tree may come last", () =>
        Effect.gen(function* () {
          const x = { w: 6 }
          const w = <E, R>(made: Effect.Effect<{ readonly w: tf.Tensor }, E, R>) =>
            Effect.flatMap(scoped(made), ({ w }) => Effect.map(firsts(w), ([first]) => first))
          assert.strictEqual(yield* w(pipe(x, TensorTree.add({ w: 3 }))), 9)
          assert.strictEqual(yield* w(pipe(x, TensorTree.sub({ w: 3 }))), 3)
          assert.strictEqual(yield* w(pipe(x, TensorTree.scale(3))), 18)
          assert.strictEqual(yield* w(pipe(x, TensorTree.addScale(2, { w: 3 }))), 12)
          assert.strictEqual(yield* w(pipe(x, TensorTree.clip({ maxValue: 3 }))), 3)
          assert.strictEqual(yield* w(pipe(x, TensorTree.cast("int32"))), 6)
          assert.strictEqual(yield* pipe(x, TensorTree.vdot({ w: 3 })), 18)
        }).pipe(Effect.scoped)
      )
    })

    describe("ownership", () => {
      it.effect("what is made is the caller's own, also where nothing was computed", () =>
        leavesNothing(
          Effect.gen(function* () {
            const x = yield* scoped(Effect.sync(() => ({ w: tf.tensor1d([1, 2]) })))
            for (const made of [TensorTree.where(true, x, x), TensorTree.cast(x, "float32"), TensorTree.max(x)]) {
              yield* Tensors.dispose(yield* made)
              assert.deepStrictEqual(yield* values(x), [[1, 2]])
            }
          })
        )
      )

      it.effect("a failure leaves nothing behind", () =>
        leavesNothing(
          Effect.gen(function* () {
            const gone = tf.scalar(1)
            gone.dispose()
            yield* failure(TensorTree.add({ a: 1, b: 2 }, { a: 1, b: gone }))
            yield* failure(TensorTree.updateMoment({ a: 1 }, { a: 1 }, { decay: 2, order: 1 }))
          })
        )
      )
    })

    describe("programs", () => {
      const x = { a: Float32Array.of(1, 2, 3), b: [4, 5] }

      it.effect("are one kernel for each leaf, and one for a number that is left", () =>
        Effect.gen(function* () {
          const kernels = (plan: Plan.Plan | undefined) => plan?.steps.map(({ _tag }) => _tag)
          const [step] = yield* plansOf(scoped(TensorTree.addScale(x, 2, x)))
          assert.deepStrictEqual(kernels(step), ["Fused", "Fused", "Fused"])
          const [near] = yield* plansOf(TensorTree.allClose({ a: x.a }, { a: x.a }))
          assert.deepStrictEqual(kernels(near), ["Fused"])
          const [moment] = yield* plansOf(
            scoped(TensorTree.updateMoment({ a: x.a }, { a: x.a }, { decay: 0.9, order: 2 }))
          )
          assert.deepStrictEqual(kernels(moment), ["Fused"])
        }).pipe(Effect.scoped)
      )

      it.effect("are traced once for shapes, whatever the numbers and the structure around them", () =>
        Effect.gen(function* () {
          const [first] = yield* plansOf(scoped(TensorTree.scale(x, 2)))
          const [second] = yield* plansOf(scoped(TensorTree.scale({ c: [x.a, [7, 8]] }, 3)))
          assert.isTrue(first !== undefined && first === second)
        }).pipe(Effect.scoped)
      )
    })

    describe("errors name the tree and the leaf", () => {
      const x = { a: 1, b: Float32Array.of(1, 2) }

      it.effect("of another structure", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            // @ts-expect-error -- a leaf is missing
            yield* failure(TensorTree.add(x, x, { a: 1 })),
            [
              "TensorTree.add: tree 3 and tree 1 differ in structure",
              "  ['b']   expected a leaf   found nothing",
              "Pass trees of one structure, with leaves of the same shapes."
            ].join("\n")
          )
          assert.strictEqual(
            // @ts-expect-error -- a leaf is missing
            yield* failure(TensorTree.updateMoment(x, { a: 1 }, { decay: 0.9, order: 1 })),
            [
              "TensorTree.updateMoment: the moments and the updates differ in structure",
              "  ['b']   expected a leaf   found nothing",
              "Pass moments that were made for these very updates."
            ].join("\n")
          )
        })
      )

      it.effect("of other shapes", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* failure(TensorTree.vdot(x, { a: 1, b: Float32Array.of(1, 2, 3) })),
            [
              "TensorTree.vdot (tree 2): shapes or dtypes differ",
              "  ['b']   expected float32 [2]   found float32 [3]",
              "Pass trees of one structure, with leaves of the same shapes."
            ].join("\n")
          )
        })
      )

      it.effect("that are no tensors, or are gone", () =>
        Effect.gen(function* () {
          const gone = tf.scalar(1)
          gone.dispose()
          assert.strictEqual(
            yield* failure(TensorTree.sub(x, { a: gone, b: x.b })),
            [
              "TensorTree.sub (tree 2): tensors that were disposed or donated before",
              "  ['a']",
              "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
            ].join("\n")
          )
          const wrong = [
            "TensorTree.zerosLike: leaves that cannot be used",
            "  ['a']   expected float32, int32 or bool   found string",
            "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
          ].join("\n")
          assert.strictEqual(yield* failure(TensorTree.zerosLike({ a: "?", b: 1 })), wrong)
          assert.strictEqual(
            message(() => TensorTree.size({ a: "?", b: 1 })),
            wrong.replace("zerosLike", "size")
          )
        })
      )

      it.effect("conditions that decide nothing", () =>
        Effect.gen(function* () {
          const conditions = yield* scoped(Effect.sync(() => ({ a: tf.scalar(1), b: tf.tensor1d([true], "bool") })))
          assert.strictEqual(
            yield* failure(TensorTree.where(conditions, x, x)),
            [
              "TensorTree.where (the condition): shapes or dtypes differ",
              "  ['a']   expected bool []    found float32 []",
              "  ['b']   expected bool [2]   found bool [1]",
              "Pass a boolean, a bool tensor of shape [], or a tree of bool tensors (tf.greater makes them) for each leaf."
            ].join("\n")
          )
        }).pipe(Effect.scoped)
      )

      it.effect("numbers out of range", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* failure(TensorTree.updateMoment(x, x, { decay: 2, order: 1 })),
            "TensorTree.updateMoment: decay is 2, expected a number with 0 ≤ x ≤ 1"
          )
          assert.strictEqual(
            yield* failure(TensorTree.biasCorrection(x, { decay: 0.9, count: 0 })),
            "TensorTree.biasCorrection: count is 0, expected an integer ≥ 1"
          )
          assert.strictEqual(
            // @ts-expect-error -- there is no such norm
            yield* failure(TensorTree.norm(x, { ord: 3 })),
            'TensorTree.norm: ord is 3, expected 1, 2 or "inf"'
          )
        })
      )
    })
  })
}
