/** Transforms that scale by what they remember of gradients: edges, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"
import { leastNormal, precision } from "../support/tolerances.ts"

for (const backend of backends) {
  layer(backend.layer)(`moments on ${backend.name}`, (it) => {
    const steps = (transform: Transform.Any, ...gradients: ReadonlyArray<unknown>) =>
      ran(transform, Float32Array.of(0, 0), gradients)

    it.effect("scaleByRss gives 0 where no gradient ever was, even with no eps", () =>
      Effect.gen(function* () {
        const rss = Transform.scaleByRss({ initialAccumulatorValue: 0, eps: 0 })
        const { updates } = yield* steps(rss, Float32Array.of(0, -4))
        assert.deepStrictEqual(updates, [[0, -1]])
      })
    )

    it.effect("scaleByRss gives NaN for NaN, and stands still there from then on", () =>
      Effect.gen(function* () {
        const { state, updates } = yield* steps(
          Transform.scaleByRss({ initialAccumulatorValue: 0.75, eps: 0 }),
          Float32Array.of(Number.NaN, 0),
          Float32Array.of(1, 0.5)
        )
        assert.deepStrictEqual(updates, [
          [Number.NaN, 0],
          [0, 0.5]
        ])
        assert.deepStrictEqual(state, { sumOfSquares: [Number.NaN, 1] })
      })
    )

    it.effect("scaleByRms divides by 0 where there is neither gradient nor eps", () =>
      Effect.gen(function* () {
        const { updates } = yield* steps(Transform.scaleByRms({ eps: 0, decay: 0.75 }), Float32Array.of(0, 4))
        assert.deepStrictEqual(updates, [[Number.NaN, 2]])
      })
    )

    it.effect("scaleByRms with corrected bias and eps outside is scaleByAdam without a mean", () =>
      Effect.gen(function* () {
        const gradients = [Float32Array.of(1, -2), Float32Array.of(0.5, 8), Float32Array.of(0, 3)]
        const rms = Transform.scaleByRms({ decay: 0.999, epsInSqrt: false, biasCorrection: true })
        const { updates } = yield* steps(rms, ...gradients)
        assert.deepStrictEqual(updates, (yield* steps(Transform.scaleByAdam({ b1: 0 }), ...gradients)).updates)
      })
    )

    it.effect("scaleByRms counts whether it corrects the bias or not", () =>
      Effect.gen(function* () {
        const { state } = yield* steps(Transform.scaleByRms({ decay: 0.75 }), Float32Array.of(2, 0))
        assert.deepStrictEqual(state, { count: 1, nu: [1, 0] })
      })
    )

    it.effect("scaleByAdan and scaleByOptimisticGradient make no NaN of a first gradient that is infinite", () =>
      Effect.gen(function* () {
        const first = Float32Array.of(Number.POSITIVE_INFINITY, 1)
        const adan = yield* steps(Transform.scaleByAdan({ b2: 0.5 }), first)
        assert.deepStrictEqual(adan.state, {
          ...(adan.state as object),
          t: 1,
          v: [0, 0],
          g: [Number.POSITIVE_INFINITY, 1]
        })
        // α·g, as (α + β)·g − β·g.
        const optimistic = yield* steps(Transform.scaleByOptimisticGradient({ beta: 0 }), Float32Array.of(3, 1))
        assert.deepStrictEqual(optimistic.updates, [[3, 1]])
      })
    )

    it.effect("scaleByOptimisticGradient knows whether there was a gradient, be it 0", () =>
      Effect.gen(function* () {
        const { state, updates } = yield* steps(
          Transform.scaleByOptimisticGradient({ alpha: 2, beta: 3 }),
          Float32Array.of(0, 1),
          Float32Array.of(1, 1)
        )
        assert.deepStrictEqual(updates, [
          [0, 2],
          [5, 2]
        ])
        assert.deepStrictEqual(state, { isInitialStep: 0, previousGradient: [1, 1] })
      })
    )

    it.effect("scaleByRadam gives NaN between a threshold below 4 and 4", () =>
      Effect.gen(function* () {
        const radam = Transform.scaleByRadam({ b1: 0, threshold: 3, eps: 0 })
        const gradients = Array.from({ length: 5 }, () => Float32Array.of(2, -2))
        const { updates } = yield* steps(radam, ...gradients)
        // ρ is 1, 2, 3, 4, 5 to the third digit: a mean, a mean, nothing, and then steps of size r.
        const kinds = (updates as ReadonlyArray<ReadonlyArray<number>>).map(([u = 0]) => {
          if (Number.isNaN(u)) return "NaN"
          return u === 2 ? "mean" : "scaled"
        })
        assert.deepStrictEqual(kinds, ["mean", "mean", "mean", "NaN", "scaled"])
      })
    )

    it.effect("scaleByYogi starts both moments at its initial value", () =>
      Effect.gen(function* () {
        const yogi = Transform.scaleByYogi({ b1: 0.5, b2: 0.5, initialAccumulatorValue: 0.25 })
        const { state } = yield* steps(yogi, Float32Array.of(0, 0.5))
        // Where g² = ν the sign is 0 and nothing changes.
        assert.deepStrictEqual(state, { count: 1, mu: [0.125, 0.375], nu: [0.25, 0.25] })
      })
    )

    it.effect("scaleByBelief keeps what it adds to the second moment", () =>
      Effect.gen(function* () {
        const belief = Transform.scaleByBelief({ b2: 0.5, epsRoot: 1 })
        const zero = Float32Array.of(0, 0)
        assert.deepStrictEqual((yield* steps(belief, zero, zero)).state, { count: 2, mu: [0, 0], nu: [1.5, 1.5] })
      })
    )

    it.effect("scaleByAmsgrad takes the maximum of what is corrected, or on demand of what is not", () =>
      Effect.gen(function* () {
        const gradients = [Float32Array.of(4, 0), Float32Array.of(0, 4)]
        const corrected = yield* steps(Transform.scaleByAmsgrad({ b2: 0.5 }), ...gradients)
        const raw = yield* steps(Transform.scaleByAmsgrad({ b2: 0.5, biasCorrectionNu: false }), ...gradients)
        assert.deepInclude(corrected.state, { nu: [4, 8], nuMax: [16, Math.fround(32 / 3)] })
        assert.deepInclude(raw.state, { nu: [4, 8], nuMax: [8, 8] })
      })
    )

    it.effect("scaleByNovograd keeps one number for a tensor, and decays parameters without a gradient", () =>
      Effect.gen(function* () {
        const novograd = Transform.scaleByNovograd({ b1: 0.5, b2: 0.5, eps: 1, weightDecay: 0.25 })
        const zero = Float32Array.of(0, 0)
        const run = yield* ran(novograd, { w: Float32Array.of(4, 8) }, [{ w: zero }, { w: Float32Array.of(3, 4) }])
        assert.deepStrictEqual(run.updates[0], { w: [1, 2] })
        assert.deepInclude(run.state, { count: 2, nu: { w: 12.5 } })
      })
    )

    it.effect("scaleByNovograd takes leaves of rank 0 and leaves without elements", () =>
      Effect.gen(function* () {
        const run = yield* ran(
          Transform.scaleByNovograd({ eps: 0.5 }),
          [1, Float32Array.of()],
          [[0.5, Float32Array.of()]]
        )
        assert.deepStrictEqual(run, { updates: [[0.5, []]], state: { count: 1, mu: [0.5, []], nu: [0.25, 0] } })
      })
    )

    it.effect("scaleByNovograd fails without parameters, and says who needs them", () =>
      Effect.gen(function* () {
        const novograd: Transform.Any = Transform.scaleByNovograd()
        const state: unknown = yield* Transform.init(novograd, [1])
        const error = yield* Effect.flip(Transform.update(novograd, [1], state, {}))
        assert.deepInclude(error, { _tag: "MissingArgument", argument: "params", transform: "scaleByNovograd" })
      })
    )

    it.effect("scaleByLion has three signs", () =>
      Effect.gen(function* () {
        const directions = yield* Effect.forEach(["hard", "smooth", "refined"] as const, (mode) =>
          steps(Transform.scaleByLion({ b1: 0, mode, smoothBeta: 1000 }), Float32Array.of(0.5, -4))
        )
        assert.deepStrictEqual(
          directions.map(({ updates }) => updates),
          [[[1, -1]], [[1, -1]], [[0.5, -1]]]
        )
      })
    )

    it.effect("scaleBySign keeps zeros and NaN", () =>
      Effect.gen(function* () {
        const tiny = precision[backend.name].flushesSubnormals ? leastNormal : 1e-40
        const { updates } = yield* steps(
          Transform.scaleBySign(),
          Float32Array.of(Number.NaN, 0),
          Float32Array.of(-tiny, 2)
        )
        assert.deepStrictEqual(updates, [
          [Number.NaN, 0],
          [-1, 1]
        ])
      })
    )

    const slopes = [Float32Array.of(3, 1), Float32Array.of(2, -1), Float32Array.of(1, -1), Float32Array.of(0, -1)]

    it.effect("scaleByRprop is a step late, as Optax is", () =>
      Effect.gen(function* () {
        const rprop = Transform.scaleByRprop({ learningRate: 1, etaPlus: 2, maxStepSize: 3 })
        const { state, updates } = yield* steps(rprop, ...slopes)
        assert.deepStrictEqual(updates, [
          [0, 0],
          [1, 0],
          [2, 0],
          [3, -0.5]
        ])
        assert.deepStrictEqual(state, { stepSizes: [3, 1], prevUpdates: [0, -1] })
      })
    )

    it.effect("scaleByRprop gives the steps of the paper on demand", () =>
      Effect.gen(function* () {
        const rprop = Transform.scaleByRprop({ learningRate: 1, etaPlus: 2, maxStepSize: 3, delayed: false })
        const { state, updates } = yield* steps(rprop, ...slopes)
        assert.deepStrictEqual(updates, [
          [1, 1],
          [2, 0],
          [3, -0.5],
          [0, -1]
        ])
        assert.deepStrictEqual(state, { stepSizes: [3, 1], prevUpdates: [0, -1] })
      })
    )

    it.effect("a tree without leaves, and a leaf without elements", () =>
      Effect.gen(function* () {
        const adan = Transform.scaleByAdan()
        assert.deepStrictEqual((yield* ran(adan, {}, [{}, {}])).state, { t: 2, m: {}, v: {}, n: {}, g: {} })
        assert.deepStrictEqual((yield* ran(adan, [Float32Array.of()], [[Float32Array.of()]])).updates, [[[]]])
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  const refused = (make: () => unknown, expected: string) => assert.strictEqual(message(make), expected)

  it("are refused by the name of the transform that was made", () => {
    refused(() => Transform.scaleByAmsgrad({ b2: 1 }), "scaleByAmsgrad: b2 is 1, expected a number with 0 ≤ x < 1")
    refused(
      () => Transform.scaleByRms({ initialScale: -1 }),
      "scaleByRms: initialScale is -1, expected a finite number ≥ 0"
    )
    refused(
      () => Transform.scaleByOptimisticGradient({ alpha: Number.POSITIVE_INFINITY }),
      "scaleByOptimisticGradient: alpha is Infinity, expected a finite number"
    )
  })

  it("scaleByLion lists its modes", () => {
    refused(
      () => Transform.scaleByLion({ mode: "soft" as "smooth" }),
      'scaleByLion: mode is "soft", expected one of "hard", "smooth", "refined"'
    )
  })

  it("scaleByRprop lets sizes shrink by one factor, grow by the other, and keeps its bounds in order", () => {
    const rprop = (options: object) => () => Transform.scaleByRprop({ learningRate: 1, ...options })
    refused(rprop({ etaMinus: 1.1 }), "scaleByRprop: etaMinus is 1.1, expected a number with 0 ≤ x ≤ 1")
    refused(rprop({ etaPlus: 0.9 }), "scaleByRprop: etaPlus is 0.9, expected a number ≥ 1")
    refused(rprop({ minStepSize: 60 }), "scaleByRprop: maxStepSize is 50, expected a number ≥ 60")
    refused(rprop({ learningRate: () => 1 }), "scaleByRprop: learningRate is () => 1, expected a finite number ≥ 0")
  })
})
