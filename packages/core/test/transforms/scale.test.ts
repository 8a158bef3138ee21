/** Transforms that scale: edges, and what they refuse. */
import { Expr, Leaves, Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { firsts } from "../support/numbers.ts"
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

    it.effect("identity and setToZero look at nothing", () =>
      Effect.gen(function* () {
        const grads = { a: Float32Array.of(Number.NaN, -0), empty: {} }
        assert.deepStrictEqual(yield* ran(Transform.identity(), grads, [grads]), {
          updates: [{ a: [Number.NaN, -0], empty: {} }],
          state: null
        })
        assert.deepStrictEqual((yield* ran(Transform.setToZero(), grads, [grads])).updates, [{ a: [0, 0], empty: {} }])
      })
    )

    it.effect("functions become transforms, with parameters if they take them", () =>
      Effect.gen(function* () {
        const swapped = Transform.stateless((updates: Leaves.Leaves<Expr.Expr>) =>
          Leaves.map(updates, (u, index) => updates.items[1 - index] ?? u)
        )
        const { updates } = yield* Transform.update(swapped, { a: 1, b: 2 }, null)
        assert.deepStrictEqual(yield* firsts(updates), [2, 1])
        const relative = Transform.stateless((updates, params) => Leaves.map(updates, params, (u, p) => Expr.div(u, p)))
        const params = { a: 2, b: 8 }
        assert.deepStrictEqual((yield* ran(relative, params, [{ a: 1, b: 1 }])).updates, [{ a: 0.5, b: 0.125 }])
        const halved = Transform.statelessWithTreeMap((u) => Expr.mul(0.5, u))
        assert.deepStrictEqual((yield* ran(halved, params, [params])).updates, [{ a: 1, b: 4 }])
      })
    )

    it.effect("a function that makes no sense for a leaf is told of with the leaf", () =>
      Effect.gen(function* () {
        const broken = Transform.statelessWithTreeMap((u, p) => Expr.add(u, Expr.reshape(p, [3])))
        const error = yield* Effect.flip(ran(broken, { w: Float32Array.of(1, 2) }, [{ w: Float32Array.of(1, 2) }]))
        assert.strictEqual(error.message, "reshape at leaf ['w']: [2] has 2 elements, [3] has 3")
      })
    )

    it.effect("a function that takes parameters does not do without", () =>
      Effect.gen(function* () {
        const relative = Transform.stateless((updates, params) => Leaves.map(updates, params, (u, p) => Expr.div(u, p)))
        const given = {} as { readonly params: { readonly w: number } }
        const error = yield* Effect.flip(Transform.update(relative, { w: 1 }, null, given))
        assert.strictEqual(
          error.message,
          "stateless.update: stateless needs params, expected the tree of parameters\nPass { params } in the last argument."
        )
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
