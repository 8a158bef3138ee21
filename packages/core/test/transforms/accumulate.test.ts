/** Transforms that gather: edges, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

const infinity = Number.POSITIVE_INFINITY
const nan = Number.NaN

for (const backend of backends) {
  layer(backend.layer)(`applyEvery on ${backend.name}`, (it) => {
    it.effect("lets every third sum out, and begins anew", () =>
      Effect.gen(function* () {
        const gradients = [1, 10, 100, 2, 20, 200, 3].map((w) => ({ w }))
        const { state, updates } = yield* ran(Transform.applyEvery({ k: 3 }), { w: 0 }, gradients)
        assert.deepStrictEqual(
          updates,
          [0, 0, 111, 0, 0, 222, 0].map((w) => ({ w }))
        )
        assert.deepStrictEqual(state, { count: 1, gradAcc: { w: 3 } })
      })
    )

    it.effect("keeps NaN in the sum, as the reference does", () =>
      Effect.gen(function* () {
        const gradients = [nan, 1, 2].map((w) => ({ w }))
        const { updates } = yield* ran(Transform.applyEvery({ k: 2 }), { w: 0 }, gradients)
        assert.deepStrictEqual(updates, [{ w: nan }, { w: nan }, { w: nan }])
      })
    )

    it.effect("changes nothing for k = 1", () =>
      Effect.gen(function* () {
        const { state, updates } = yield* ran(Transform.applyEvery(), { w: 0 }, [{ w: 1 }, { w: 10 }])
        assert.deepStrictEqual(updates, [{ w: 1 }, { w: 10 }])
        assert.deepStrictEqual(state, { count: 0, gradAcc: { w: 10 } })
      })
    )
  })

  layer(backend.layer)(`what keeps numbers in bounds on ${backend.name}`, (it) => {
    it.effect("keepParamsNonnegative brings to zero what is below, and lets NaN pass", () =>
      Effect.gen(function* () {
        const params = Float32Array.of(1, -2, 0, 3, 1)
        const grads = Float32Array.of(-1, 1, -4, -1, nan)
        const { updates } = yield* ran(Transform.keepParamsNonnegative(), params, [grads])
        assert.deepStrictEqual(updates, [[-1, 2, -0, -1, nan]])
      })
    )

    it.effect("zeroNans tells of each leaf whether there was one, at the latest update", () =>
      Effect.gen(function* () {
        const zero = Transform.zeroNans()
        const params = { a: Float32Array.of(0, 0), empty: Float32Array.of(), n: 0 }
        const sick = { a: Float32Array.of(nan, -infinity), empty: Float32Array.of(), n: 1 }
        const first = yield* ran(zero, params, [sick])
        assert.deepStrictEqual(first, {
          updates: [{ a: [0, -infinity], empty: [], n: 1 }],
          state: { foundNan: { a: 1, empty: 0, n: 0 } }
        })
        const { state } = yield* ran(zero, params, [sick, { ...params, n: nan }])
        assert.deepStrictEqual(state, { foundNan: { a: 0, empty: 0, n: 1 } })
      })
    )
  })

  layer(backend.layer)(`ema on ${backend.name}`, (it) => {
    it.effect("is kept with its bias and returned without it", () =>
      Effect.gen(function* () {
        const { state, updates } = yield* ran(Transform.ema({ decay: 0.75 }), { w: 0 }, [{ w: 8 }, { w: 8 }])
        assert.deepStrictEqual(updates, [{ w: 8 }, { w: 8 }])
        assert.deepStrictEqual(state, { count: 2, ema: { w: 3.5 } }) // 8·(1 − 0.75²)
      })
    )

    it.effect("is returned with its bias on demand", () =>
      Effect.gen(function* () {
        const mean = Transform.ema({ decay: 0.75, debias: false })
        const { updates } = yield* ran(mean, { w: 0 }, [{ w: 8 }, { w: 8 }])
        assert.deepStrictEqual(updates, [{ w: 2 }, { w: 3.5 }])
      })
    )

    it.effect("keeps NaN where it was, and goes on elsewhere", () =>
      Effect.gen(function* () {
        const gradients = [Float32Array.of(nan, 1), Float32Array.of(1, 1)]
        const { updates } = yield* ran(Transform.ema({ decay: 0.5 }), Float32Array.of(0, 0), gradients)
        assert.deepStrictEqual(updates, [
          [nan, 1],
          [nan, 1]
        ])
      })
    )

    it.effect("takes a tree without leaves, and a leaf without elements", () =>
      Effect.gen(function* () {
        const mean = Transform.ema({ decay: 0.5 })
        assert.deepStrictEqual(yield* ran(mean, {}, [{}]), { updates: [{}], state: { count: 1, ema: {} } })
        const empty = Float32Array.of()
        assert.deepStrictEqual(yield* ran(mean, [empty], [[empty]]), {
          updates: [[[]]],
          state: { count: 1, ema: [[]] }
        })
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  for (const [make, expected] of [
    [() => Transform.ema({ decay: 1 }), "ema: decay is 1, expected a number with 0 ≤ x < 1"],
    [() => Transform.applyEvery({ k: 0 }), "applyEvery: k is 0, expected an integer ≥ 1"],
    [() => Transform.addNoise({ eta: -1, gamma: 0 }), "addNoise: eta is -1, expected a finite number ≥ 0"],
    [() => Transform.addNoise({ eta: 1, gamma: nan }), "addNoise: gamma is NaN, expected a finite number"],
    [() => Transform.noisySgd({ learningRate: 1, key: 0.5 }), "addNoise: key is 0.5, expected an integer"]
  ] as const)
    it(`says: ${expected}`, () => assert.strictEqual(message(make), expected))
})
