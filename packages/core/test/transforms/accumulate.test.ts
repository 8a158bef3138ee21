/** Transforms that gather: edges, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

for (const backend of backends) {
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
        const gradients = [Float32Array.of(Number.NaN, 1), Float32Array.of(1, 1)]
        const { updates } = yield* ran(Transform.ema({ decay: 0.5 }), Float32Array.of(0, 0), gradients)
        assert.deepStrictEqual(updates, [
          [Number.NaN, 1],
          [Number.NaN, 1]
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
  it("ema refuses a decay that forgets nothing", () => {
    assert.strictEqual(
      message(() => Transform.ema({ decay: 1 })),
      "ema: decay is 1, expected a number with 0 ≤ x < 1"
    )
  })
})
