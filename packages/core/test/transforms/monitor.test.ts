/** Measurements in the state: what they may be, and how they begin. */
import { Expr, Leaves, Optimizer, OptimizerState, Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { firsts } from "../support/numbers.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

const nan = Number.NaN

for (const backend of backends) {
  layer(backend.layer)(`monitors on ${backend.name}`, (it) => {
    it.effect("have measured nothing before the first update", () =>
      Effect.gen(function* () {
        const monitor = Transform.monitor({
          norm: Leaves.globalNorm,
          isLong: (updates: Leaves.Leaves<Expr.Expr>) => Expr.greater(Leaves.globalNorm(updates), 1),
          mean: Transform.measureWithEma(Leaves.globalNorm, { decay: 0.5 })
        })
        const { state } = yield* ran(monitor, { w: 3 }, [])
        assert.deepStrictEqual(state, {
          measurements: { isLong: 0, mean: nan, norm: nan },
          measureStates: [null, null, { count: 0, ema: 0 }]
        })
      })
    )

    it.effect("snapshot has measured the parameters before the first update, as the reference does", () =>
      Effect.gen(function* () {
        const { state } = yield* ran(Transform.snapshot("norm", Leaves.globalNorm), { a: 3, b: 4 }, [])
        assert.deepStrictEqual(state, { measurement: { norm: 5 } })
      })
    )

    it.effect("measure trees of tensors", () =>
      Effect.gen(function* () {
        const norms = Transform.snapshot("norms", (updates: Leaves.Leaves<Expr.Expr>) =>
          Leaves.map(updates, (u) => Expr.sqrt(Expr.sum(Expr.square(u))))
        )
        const grads = { a: Float32Array.of(3, 4), b: -2 }
        const { state, updates } = yield* ran(norms, grads, [grads])
        assert.deepStrictEqual(state, { measurement: { norms: { a: 5, b: 2 } } })
        assert.deepStrictEqual(updates, [{ a: [3, 4], b: -2 }])
        const means = Transform.monitor({
          both: Transform.measureWithEma(
            (updates, params) => ({ sum: Expr.add(Leaves.globalNorm(updates), Leaves.globalNorm(params)) }),
            { decay: 0.5, debias: false }
          )
        })
        const run = yield* ran(means, { w: 1 }, [{ w: 3 }])
        assert.deepStrictEqual(run.state, {
          measurements: { both: { sum: 2 } },
          measureStates: [{ count: 1, ema: { sum: 2 } }]
        })
      })
    )

    it.effect("tell how often something was so", () =>
      Effect.gen(function* () {
        const isLong = Transform.measureWithEma((updates) => Expr.greater(Leaves.globalNorm(updates), 1), {
          decay: 0.5,
          debias: false
        })
        const { state } = yield* ran(Transform.monitor({ isLong }), { w: 0 }, [{ w: 2 }, { w: 0 }])
        assert.deepStrictEqual(state, {
          measurements: { isLong: 0.25 },
          measureStates: [{ count: 2, ema: 0.25 }]
        })
      })
    )

    it.effect("see the updates at their place in a chain, and are read from the state of an optimizer", () =>
      Effect.gen(function* () {
        const optimizer = Optimizer.fromTransform(
          Transform.chain(
            Transform.snapshot("before", Leaves.globalNorm),
            Transform.clipByGlobalNorm({ maxNorm: 1 }),
            Transform.monitor({
              after: Leaves.globalNorm,
              ratio: (updates, params) => Expr.div(Leaves.globalNorm(updates), Leaves.globalNorm(params))
            })
          )
        )
        const state = yield* optimizer.update(0, { w: 8 }, yield* optimizer.init({ w: 4 }))
        const [{ measurement }, , { measurements }] = OptimizerState.transform(state)
        const { after, ratio } = measurements
        assert.deepStrictEqual(yield* firsts([measurement.before, after, ratio]), [8, 1, 0.25])
      })
    )

    it.effect("need the parameters if a measure takes them", () =>
      Effect.gen(function* () {
        const ratio = Transform.monitor({
          first: (_: unknown, params: Leaves.Leaves<Expr.Expr>) => Leaves.globalNorm(params)
        })
        const given = {} as { readonly params: { readonly w: number } }
        const error = yield* Effect.flip(
          Transform.update(ratio, { w: 1 }, yield* Transform.init(ratio, { w: 1 }), given)
        )
        assert.strictEqual(
          error.message,
          "monitor.update: monitor needs params, expected the tree of parameters\nPass { params } in the last argument."
        )
      })
    )
  })
}

describe("hyper-parameters out of their range", () => {
  it("measureWithEma refuses a decay that forgets nothing", () => {
    assert.strictEqual(
      message(() => Transform.measureWithEma(Leaves.globalNorm, { decay: 1 })),
      "measureWithEma: decay is 1, expected a number with 0 ≤ x < 1"
    )
  })
})
