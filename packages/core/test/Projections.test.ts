/** Projections: they are where they should be, nothing is nearer, and what was given is as it was. */
import { Projections, Tensors } from "@optim/core"
import { PyTree } from "@optim/pytree"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"
import { forAll } from "./support/property.ts"

type Vector = ReadonlyArray<number>

type Projected = Effect.Effect<unknown, unknown, Tensors.Tensors>

const normal = [1, -2, 0.5, 0, 3]

const sum = (x: Vector): number => x.reduce((total, one) => total + one, 0)

const norm1 = (x: Vector): number => sum(x.map(Math.abs))

const dot = (x: Vector, y: Vector): number => sum(x.map((one, index) => one * (y[index] ?? Number.NaN)))

const norm2 = (x: Vector): number => Math.sqrt(dot(x, x))

interface Row {
  readonly project: (tree: unknown) => Projected
  /** How far outside of the set a point is. */
  readonly outside: (x: Vector) => number
  /** Onto what is not convex, the nearest point is not where the angles say. */
  readonly convex: boolean
}

const P = Projections

/** Every projection, onto a set in five dimensions. */
const rows: { readonly [name in keyof typeof Projections]: Row } = {
  projectionNonNegative: {
    project: (tree) => P.projectionNonNegative(tree),
    outside: (x) => -Math.min(0, ...x),
    convex: true
  },
  projectionBox: {
    project: (tree) => P.projectionBox(tree, -1, 2),
    outside: (x) => Math.max(0, ...x.map((one) => Math.max(one - 2, -1 - one))),
    convex: true
  },
  projectionHypercube: {
    project: (tree) => P.projectionHypercube(tree, 3),
    outside: (x) => Math.max(0, ...x.map((one) => Math.max(one - 3, -one))),
    convex: true
  },
  projectionLinfBall: {
    project: (tree) => P.projectionLinfBall(tree, 1.5),
    outside: (x) => Math.max(0, ...x.map((one) => Math.abs(one) - 1.5)),
    convex: true
  },
  projectionSimplex: {
    project: (tree) => P.projectionSimplex(tree, 2),
    outside: (x) => Math.max(Math.abs(sum(x) - 2), -Math.min(0, ...x)),
    convex: true
  },
  projectionL1Sphere: {
    project: (tree) => P.projectionL1Sphere(tree, 2),
    outside: (x) => Math.abs(norm1(x) - 2),
    convex: false
  },
  projectionL1Ball: {
    project: (tree) => P.projectionL1Ball(tree, 2),
    outside: (x) => Math.max(0, norm1(x) - 2),
    convex: true
  },
  projectionL2Sphere: {
    project: (tree) => P.projectionL2Sphere(tree, 2),
    outside: (x) => Math.abs(norm2(x) - 2),
    convex: false
  },
  projectionL2Ball: {
    project: (tree) => P.projectionL2Ball(tree, 2),
    outside: (x) => Math.max(0, norm2(x) - 2),
    convex: true
  },
  projectionVector: {
    project: (tree) => P.projectionVector(tree, Float32Array.from(normal)),
    outside: (x) => norm2(x.map((one, index) => one - (dot(x, normal) / dot(normal, normal)) * (normal[index] ?? 0))),
    convex: true
  },
  projectionHyperplane: {
    project: (tree) => P.projectionHyperplane(tree, Float32Array.from(normal), 2),
    outside: (x) => Math.abs(dot(x, normal) - 2),
    convex: true
  },
  projectionHalfspace: {
    project: (tree) => P.projectionHalfspace(tree, Float32Array.from(normal), 2),
    outside: (x) => Math.max(0, dot(x, normal) - 2),
    convex: true
  }
}

/** Numbers that are not 0, where some projections have no answer. */
const coordinate = fc.integer({ min: -64, max: 63 }).map((n) => n / 8 + 1 / 16)

const point = fc.array(coordinate, { minLength: 5, maxLength: 5 })

const numbersOf = (tree: unknown): Effect.Effect<Vector> => Effect.map(values(tree), (leaves) => leaves.flat())

const projected = Effect.fnUntraced(function* (project: Row["project"], x: Vector) {
  const tree = yield* project(Float32Array.from(x))
  const found = yield* numbersOf(tree)
  yield* Tensors.dispose(tree)
  return found
})

/** The threshold of the simplex by sorting, in float64. */
const sorted = (x: Vector, scale: number): Vector => {
  const down = x.toSorted((a, b) => b - a)
  const means = down.map((_, k) => (sum(down.slice(0, k + 1)) - scale) / (k + 1))
  const threshold = means.findLast((mean, k) => (down[k] ?? 0) > mean) ?? Number.NaN
  return x.map((one) => Math.max(0, one - threshold))
}

const near = (found: Vector, expected: Vector, tolerance: number): void => {
  assert.strictEqual(found.length, expected.length)
  found.forEach((x, index) => assert.closeTo(x, expected[index] ?? Number.NaN, tolerance))
}

for (const backend of backends) {
  layer(backend.layer)(`laws on ${backend.name}`, (it) => {
    for (const [name, { convex, outside, project }] of Object.entries(rows)) {
      it.effect(`${name} arrives, and stays`, () =>
        forAll(point, (x) =>
          Effect.gen(function* () {
            const there = yield* projected(project, x)
            assert.isAtMost(outside(there), 3e-5)
            near(yield* projected(project, there), there, 1e-5)
          })
        )
      )

      if (convex)
        it.effect(`${name} is nearest: the way to any other point of the set leads away`, () =>
          forAll(fc.tuple(point, point), ([x, other]) =>
            Effect.gen(function* () {
              const [there, elsewhere] = [yield* projected(project, x), yield* projected(project, other)]
              const difference = (a: Vector, b: Vector) => a.map((one, index) => one - (b[index] ?? 0))
              assert.isAtMost(dot(difference(x, there), difference(elsewhere, there)), 1e-3)
            })
          )
        )

      it.effect(`${name} keeps the structure, and what it was given`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const tree = { a: tf.tensor1d([1, -2, 3, 4, -5]) }
            const like = { a: Float32Array.from(normal) }
            const onTree: { readonly [name: string]: Projected } = {
              projectionVector: P.projectionVector(tree, like),
              projectionHyperplane: P.projectionHyperplane(tree, like, 2),
              projectionHalfspace: P.projectionHalfspace(tree, like, 2)
            }
            const found = yield* onTree[name] ?? project(tree)
            assert.deepStrictEqual(PyTree.structure(found), PyTree.structure(tree))
            assert.deepStrictEqual(yield* numbersOf(tree), [1, -2, 3, 4, -5])
            near(yield* numbersOf(found), yield* projected(project, [1, -2, 3, 4, -5]), 0)
            yield* Tensors.dispose([found, tree])
          })
        )
      )
    }

    it.effect("the leaves of a tree are one vector", () =>
      forAll(point, ([a = 0, b = 0, ...rest]) =>
        Effect.gen(function* () {
          for (const project of [
            (tree: unknown) => P.projectionSimplex(tree),
            (tree: unknown) => P.projectionL1Ball(tree),
            (tree: unknown) => P.projectionL2Ball(tree),
            (tree: unknown) => P.projectionL2Sphere(tree)
          ]) {
            const tree = yield* project([a, { b: Float32Array.from(rest) }, b])
            near(yield* numbersOf(tree), yield* projected(project, [a, ...rest, b]), 1e-6)
            yield* Tensors.dispose(tree)
          }
        })
      )
    )

    it.effect("donated is pure, and consumes what was given", () =>
      leavesNothing(
        Effect.gen(function* () {
          const make = () => ({ w: tf.tensor1d([3, -1, 2]), b: tf.scalar(0.5) })
          const project = (tree: { readonly w: Tensor; readonly b: Tensor }, donate: boolean) =>
            Effect.all([P.projectionSimplex({ ...tree }, 1, { donate }), Effect.succeed(tree)])
          const [pure, kept] = yield* project(make(), false)
          const [donated, gone] = yield* project(make(), true)
          assert.deepStrictEqual(yield* numbersOf(donated), yield* numbersOf(pure))
          assert.deepStrictEqual([kept.w.isDisposed, gone.w.isDisposed, gone.b.isDisposed], [false, true, true])
          yield* Tensors.dispose([pure, kept, donated])
        })
      )
    )

    it.effect("another scale traces nothing, and each projection is one program", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const plans: Array<unknown> = []
        const watched = Tensors.Tensors.of({
          ...tensors,
          execute: (execution) => {
            plans.push(execution.plan)
            return tensors.execute(execution)
          }
        })
        const all = Effect.gen(function* () {
          for (const scale of [1, 2, 0.5])
            yield* Effect.flatMap(P.projectionL1Ball({ a: 3, b: 4 }, scale), Tensors.dispose)
          for (const bound of [1, 2])
            yield* Effect.flatMap(P.projectionBox({ a: 3, b: 4 }, -bound, bound), Tensors.dispose)
        })
        yield* Effect.provideService(all, Tensors.Tensors, watched)
        assert.deepStrictEqual([plans.length, new Set(plans).size], [5, 2])
      })
    )

    it.effect("the simplex is that of sorting, also where every step takes off a few only", () =>
      Effect.gen(function* () {
        const powers = Array.from({ length: 300 }, (_, index) => -(1.5 ** (40 - index)))
        const ties = Array.from({ length: 257 }, (_, index) => (index % 5) / 5)
        const ramp = Array.from({ length: 1000 }, (_, index) => index / 1000)
        const wide = Array.from({ length: 64 }, (_, index) => 2 ** (index - 20))
        for (const x of [powers, ties, ramp, wide, [7]]) {
          const exact = x.map(Math.fround)
          for (const scale of [1, 0.25, 100]) {
            const found = yield* projected((tree) => P.projectionSimplex(tree, scale), exact)
            near(found, sorted(exact, scale), 2e-6 * scale)
          }
        }
      })
    )
  })

  // --- cases -----------------------------------------------------------------------------------------------------

  layer(backend.layer)(`cases on ${backend.name}`, (it) => {
    it.effect("bounds may be trees, with a number for a whole leaf, and infinite", () =>
      Effect.gen(function* () {
        const tree = { w: Float32Array.of(-5, 0, 5), b: 9 }
        const lower = { w: -1, b: Number.NEGATIVE_INFINITY }
        const upper = { w: Float32Array.of(1, 2, 3), b: 4 }
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionBox(tree, lower, upper)), [4, -1, 0, 3])
        assert.deepStrictEqual(
          yield* numbersOf(yield* P.projectionBox(tree, 0, Number.POSITIVE_INFINITY)),
          [9, 0, 0, 5]
        )
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionHypercube(tree, { w: 2, b: 3 })), [3, 0, 0, 2])
      })
    )

    it.effect("what is inside stays, bit for bit", () =>
      Effect.gen(function* () {
        const x = [0.1, -0.2, 0.3].map(Math.fround)
        for (const project of [P.projectionL1Ball, P.projectionL2Ball, P.projectionLinfBall])
          assert.deepStrictEqual(yield* numbersOf(yield* project(Float32Array.from(x), 0.7)), x)
      })
    )

    it.effect("nothing is projected onto nothing", () =>
      Effect.gen(function* () {
        for (const { project } of [
          rows.projectionSimplex,
          rows.projectionL1Ball,
          rows.projectionL2Sphere,
          rows.projectionBox
        ])
          assert.deepStrictEqual(yield* project({}), {})
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionSimplex(new Float32Array(0))), [])
      })
    )

    it.effect("NaN is everywhere that depends on it, and zeros have no direction", () =>
      Effect.gen(function* () {
        for (const project of [P.projectionSimplex, P.projectionL1Ball, P.projectionL2Ball, P.projectionL2Sphere])
          assert.deepStrictEqual(yield* numbersOf(yield* project(Float32Array.of(1, Number.NaN))), [
            Number.NaN,
            Number.NaN
          ])
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionNonNegative(Float32Array.of(1, Number.NaN))), [
          1,
          Number.NaN
        ])
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionL2Sphere(Float32Array.of(0))), [Number.NaN])
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionL2Ball(Float32Array.of(0), 0)), [0])
        assert.deepStrictEqual(yield* numbersOf(yield* P.projectionL1Sphere(Float32Array.of(0, 0))), [0, 0])
      })
    )

    const complaint = Effect.fnUntraced(function* (effect: Projected) {
      return ((yield* Effect.flip(effect)) as Error).message
    })

    it.effect("what does not fit is said, letter by letter", () =>
      leavesNothing(
        Effect.gen(function* () {
          assert.strictEqual(
            yield* complaint(P.projectionSimplex(1, 0)),
            "Projections.projectionSimplex: scale is 0, expected a finite number > 0"
          )
          assert.strictEqual(
            yield* complaint(P.projectionBox(1, 2, 1)),
            "Projections.projectionBox: upper is 1, expected a number ≥ lower, which is 2"
          )
          assert.strictEqual(
            yield* complaint(P.projectionBox(1, Number.NaN, 1)),
            "Projections.projectionBox: lower is NaN, expected a number"
          )
          assert.strictEqual(
            yield* complaint(P.projectionHyperplane(1, 1, Number.POSITIVE_INFINITY)),
            "Projections.projectionHyperplane: b is Infinity, expected a finite number"
          )
          assert.strictEqual(
            yield* complaint(P.projectionVector<unknown>({ a: 1, b: 2 }, { a: 1 })),
            [
              "Projections.projectionVector: the tree a and the tree that is projected differ in structure",
              "  ['b']   expected a leaf   found nothing",
              "Give both the same structure."
            ].join("\n")
          )
          assert.strictEqual(
            yield* complaint(P.projectionHalfspace({ w: Float32Array.of(1, 2) }, { w: Float32Array.of(1) }, 0)),
            [
              "Projections.projectionHalfspace: shapes or dtypes differ",
              "  ['w']   expected float32 [2]   found float32 [1]",
              "Nothing is broadcast: give a leaf of the same shape for each leaf of the tree."
            ].join("\n")
          )
          assert.strictEqual(
            yield* complaint(P.projectionNonNegative({ w: "1" })),
            [
              "Projections.projectionNonNegative: leaves that cannot be used",
              "  ['w']   expected float32   found string",
              "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
            ].join("\n")
          )
        })
      )
    )
  })
}
