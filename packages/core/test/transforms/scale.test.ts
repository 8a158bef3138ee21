/** Transforms that scale: edges, and what they refuse. */
import { Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

for (const backend of backends) {
  layer(backend.layer)(`scaling on ${backend.name}`, (it) => {
    it.effect("what remembers nothing is begun again and again", () =>
      Effect.gen(function* () {
        const half = Transform.scale({ stepSize: 0.5 })
        for (const w of [1, 2, 3]) assert.strictEqual(yield* Transform.init(half, { w }), null)
      })
    )

    it.effect("scaleBySchedule starts at the schedule's 0, and keeps the sign", () =>
      Effect.gen(function* () {
        const growing = Transform.scaleBySchedule({ stepSizeFn: (count) => count * 2 - 1 })
        const { state, updates } = yield* ran(growing, { w: 0 }, [{ w: 3 }, { w: 3 }, { w: 3 }])
        assert.deepStrictEqual(updates, [{ w: -3 }, { w: 3 }, { w: 9 }])
        assert.deepStrictEqual(state, { count: 3 })
      })
    )

    it.effect("scaleBySchedule fails where the schedule gives no number, and says at which count", () =>
      Effect.gen(function* () {
        const broken = Transform.scaleBySchedule({ stepSizeFn: (count) => 1 / (1 - count) })
        const error = yield* Effect.flip(ran(broken, [0], [[1], [1]]))
        assert.strictEqual(error._tag, "NonFinite")
        assert.strictEqual(
          error.message,
          "Scalar.schedule: the step size is Infinity at step 1, expected a finite number"
        )
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  it("scaleBySchedule refuses what is neither a number nor gives one", () => {
    assert.strictEqual(
      message(() => Transform.scaleBySchedule({ stepSizeFn: Number.NaN })),
      "scaleBySchedule: stepSizeFn is NaN, expected a finite number, a schedule, or a function of the count of updates"
    )
  })
})
