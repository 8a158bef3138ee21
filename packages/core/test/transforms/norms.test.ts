/** Transforms that scale by norms, and those that keep vectors along axes: edges, plans, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

const nan = Number.NaN
const infinity = Number.POSITIVE_INFINITY

/** The updates of one step. */
const updatesOf = (transform: Transform.Any, grads: unknown, params: unknown, given: object = {}) =>
  Effect.map(ran(transform, params, [grads], given), ({ updates }) => updates[0])

for (const backend of backends) {
  layer(backend.layer)(`norms on ${backend.name}`, (it) => {
    it.effect("centralize leaves numbers and vectors, and what has no elements", () =>
      Effect.gen(function* () {
        const grads = { empty: tf.zeros([2, 0]), number: 3, vector: Float32Array.of(1, 2) }
        assert.deepStrictEqual(yield* updatesOf(Transform.centralize(), grads, grads), {
          empty: [],
          number: 3,
          vector: [1, 2]
        })
      })
    )

    it.effect("scaleByTrustRatio lets an update pass where a norm is zero", () =>
      Effect.gen(function* () {
        const params = { fresh: Float32Array.of(0, 0), still: Float32Array.of(3, 4), w: Float32Array.of(3, 4) }
        const grads = { fresh: Float32Array.of(1, 2), still: Float32Array.of(0, 0), w: Float32Array.of(0, 2) }
        assert.deepStrictEqual(yield* updatesOf(Transform.scaleByTrustRatio(), grads, params), {
          fresh: [1, 2],
          still: [0, 0],
          w: [0, 5]
        })
      })
    )

    it.effect("scaleByTrustRatio counts both norms with their least", () =>
      Effect.gen(function* () {
        const ratio = Transform.scaleByTrustRatio({ minNorm: 8, trustCoefficient: 0.5 })
        assert.deepStrictEqual(yield* updatesOf(ratio, { w: 2 }, { w: 1 }), { w: 1 })
        assert.deepStrictEqual(yield* updatesOf(ratio, { w: 2 }, { w: 16 }), { w: 2 })
      })
    )

    it.effect("norms of NaN are NaN, for their own leaf", () =>
      Effect.gen(function* () {
        const params = { sick: Float32Array.of(nan, 1), well: Float32Array.of(3, 4) }
        const grads = { sick: Float32Array.of(1, 1), well: Float32Array.of(0, 5) }
        for (const make of [Transform.scaleByTrustRatio, Transform.scaleByParamBlockNorm])
          assert.deepStrictEqual((yield* updatesOf(make(), grads, params)) as object, {
            sick: [nan, nan],
            well: [0, make === Transform.scaleByTrustRatio ? 5 : 25]
          })
      })
    )

    it.effect("scaleByParamBlock counts small parameters with their least", () =>
      Effect.gen(function* () {
        const [grads, params] = [{ w: 3 }, { w: 0.1 }]
        assert.deepStrictEqual(yield* updatesOf(Transform.scaleByParamBlockNorm({ minScale: 2 }), grads, params), {
          w: 6
        })
        assert.deepStrictEqual(yield* updatesOf(Transform.scaleByParamBlockRms({ minScale: 2 }), grads, params), {
          w: 6
        })
      })
    )

    it.effect("normalizeByUpdateNorm takes a tree without leaves", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* updatesOf(Transform.normalizeByUpdateNorm(), {}, {}), {})
      })
    )

    it.effect("normalizeByUpdateNorm keeps zeros at zero as long as there is an eps", () =>
      Effect.gen(function* () {
        const zeros = { a: 0, b: 0 }
        assert.deepStrictEqual(yield* updatesOf(Transform.normalizeByUpdateNorm(), zeros, zeros), zeros)
        const undefinedThere = yield* updatesOf(Transform.normalizeByUpdateNorm({ eps: 0 }), zeros, zeros)
        assert.deepStrictEqual(undefinedThere, { a: nan, b: nan })
      })
    )

    it.effect("scaleByDistanceOverGradients takes numbers, and remembers where they started", () =>
      Effect.gen(function* () {
        const dog = Transform.scaleByDistanceOverGradients({ repsRel: 0.5, eps: 0, globalScale: -1 })
        const { state, updates } = yield* ran(dog, { w: 3 }, [{ w: 10 }, { w: 0 }])
        assert.deepStrictEqual(updates, [{ w: -2 }, { w: -0 }])
        assert.deepStrictEqual(state, { gradSumOfSquares: { w: 100 }, initParams: { w: 3 }, maxDist: { w: 2 } })
      })
    )

    it.effect("scaleByPolyak goes up where the loss is below its least, unless it is the variant that does not", () =>
      Effect.gen(function* () {
        const [grads, value] = [{ a: 3, b: 4 }, -50]
        assert.deepStrictEqual(yield* updatesOf(Transform.scaleByPolyak(), grads, grads, { value }), { a: -6, b: -8 })
        const plus = Transform.scaleByPolyak({ variant: "sps+" })
        assert.deepStrictEqual(yield* updatesOf(plus, grads, grads, { value }), { a: 0, b: 0 })
      })
    )

    it.effect("scaleByPolyak takes no step where there is no gradient, and one that is NaN where the loss is", () =>
      Effect.gen(function* () {
        const [polyak, zeros] = [Transform.scaleByPolyak(), { a: 0, b: 0 }]
        assert.deepStrictEqual(yield* updatesOf(polyak, zeros, zeros, { value: 1 }), zeros)
        assert.deepStrictEqual(yield* updatesOf(polyak, { a: 1, b: 0 }, zeros, { value: nan }), { a: nan, b: nan })
      })
    )

    it.effect("scaleByPolyak says that it needs the loss", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(updatesOf(Transform.scaleByPolyak(), { a: 1 }, { a: 1 }))
        assert.strictEqual(error._tag, "MissingArgument")
        const expected =
          "scaleByPolyak.update: scaleByPolyak needs value, expected a number\nPass { value } in the last argument."
        assert.strictEqual(error.message, expected)
      })
    )

    it.effect("scaleBySm3 takes a number as a vector, and zeros as no reason to divide", () =>
      Effect.gen(function* () {
        const { state, updates } = yield* ran(Transform.scaleBySm3({ b1: 0, eps: 0 }), { a: 0, b: 0 }, [
          { a: -8, b: 0 }
        ])
        assert.deepStrictEqual(updates, [{ a: -1, b: 0 }])
        assert.deepStrictEqual(state, { mu: { a: [[64]], b: [[0]] }, nu: { a: -1, b: 0 } })
      })
    )

    it.effect("scaleBySm3 takes what has no elements", () =>
      Effect.gen(function* () {
        const grads = { w: tf.zeros([0, 2]) }
        assert.deepStrictEqual(yield* updatesOf(Transform.scaleBySm3(), grads, grads), { w: [] })
      })
    )

    it.effect("scaleByFactoredRms gives a gradient of rank one its sign", () =>
      Effect.gen(function* () {
        // What is a product of a column and a row is what rows and columns tell in full.
        const grads = { w: tf.tensor2d([1, -2, 4, 3, -6, 12], [2, 3]) }
        const { updates } = yield* ran(Transform.scaleByFactoredRms({ minDimSizeToFactor: 2 }), grads, [grads])
        const { w } = updates[0] as { w: ReadonlyArray<number> }
        w.forEach((u, index) => assert.approximately(u, index % 3 === 1 ? -1 : 1, 1e-6))
      })
    )

    it.effect("scaleByFactoredRms keeps the two largest axes, of equal ones the last", () =>
      Effect.gen(function* () {
        const params = { cube: tf.zeros([3, 3, 3]), long: tf.zeros([5, 2, 4]) }
        const factored = Transform.scaleByFactoredRms({ minDimSizeToFactor: 2 })
        const { vCol, vRow } = yield* Transform.init(factored, params)
        // Of `long` the largest axis is the first, the second largest the last.
        assert.deepStrictEqual(
          [vRow.long?.shape, vCol.long?.shape],
          [
            [2, 4],
            [5, 2]
          ]
        )
        assert.deepStrictEqual(
          [vRow.cube?.shape, vCol.cube?.shape],
          [
            [3, 3],
            [3, 3]
          ]
        )
      })
    )

    it.effect("scaleByFactoredRms takes another decay of the mean squares", () =>
      Effect.gen(function* () {
        const seen: Array<readonly [number, number]> = []
        const decayRateFn = (count: number, decayRate: number): number => {
          seen.push([count, decayRate])
          return 0.75
        }
        const factored = Transform.scaleByFactoredRms({ decayRateFn, decayRate: 0.5, stepOffset: -2, epsilon: 0 })
        const { state } = yield* ran(factored, { w: 0 }, [{ w: 2 }, { w: 0 }])
        assert.deepStrictEqual(state, { count: 2, v: { w: 0.75 }, vCol: { w: null }, vRow: { w: null } })
        assert.deepStrictEqual(seen, [
          [2, 0.5],
          [3, 0.5]
        ])
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  for (const [make, expected] of [
    [
      () => Transform.scaleByTrustRatio({ minNorm: -1 }),
      "scaleByTrustRatio: minNorm is -1, expected a finite number ≥ 0"
    ],
    [
      () => Transform.scaleByTrustRatio({ trustCoefficient: nan }),
      "scaleByTrustRatio: trustCoefficient is NaN, expected a finite number"
    ],
    [
      () => Transform.scaleByParamBlockNorm({ minScale: -1 }),
      "scaleByParamBlockNorm: minScale is -1, expected a finite number ≥ 0"
    ],
    [
      () => Transform.scaleByParamBlockRms({ minScale: -1 }),
      "scaleByParamBlockRms: minScale is -1, expected a finite number ≥ 0"
    ],
    [
      () => Transform.normalizeByUpdateNorm({ scaleFactor: infinity }),
      "normalizeByUpdateNorm: scaleFactor is Infinity, expected a finite number"
    ],
    [
      () => Transform.scaleByDistanceOverGradients({ repsRel: -1 }),
      "scaleByDistanceOverGradients: repsRel is -1, expected a finite number ≥ 0"
    ],
    [
      () => Transform.scaleByPolyak({ variant: "sps++" as "sps+" }),
      'scaleByPolyak: variant is "sps++", expected one of "sps", "sps+"'
    ],
    [() => Transform.scaleBySm3({ b2: 1.5 }), "scaleBySm3: b2 is 1.5, expected a number with 0 ≤ x ≤ 1"],
    [
      () => Transform.scaleByFactoredRms({ stepOffset: 0.5 }),
      "scaleByFactoredRms: stepOffset is 0.5, expected an integer"
    ],
    [
      () => Transform.scaleByFactoredRms({ minDimSizeToFactor: -1 }),
      "scaleByFactoredRms: minDimSizeToFactor is -1, expected an integer ≥ 0"
    ]
  ] as const)
    it(`says: ${expected}`, () => assert.strictEqual(message(make), expected))
})
