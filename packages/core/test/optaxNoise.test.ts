/**
 * Numbers: noise, on every backend.
 *
 * The reference draws from its own generator; its draws are recorded and fed here, through the state, to the rule of the
 * transform. What our own draws are like is tested beside it.
 */
import { Expr, Leaves, Transform } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noised, seedOf } from "../src/internal/transforms/accumulate/addNoise.ts"
import { increment, zero } from "../src/internal/transform/rules.ts"
import { it } from "vitest"
import { backends } from "./support/backends.ts"
import { values } from "./support/numbers.ts"
import { decoded, flat, optimizers, type OptaxRecord, toTensors, transforms } from "./support/optax.ts"
import { checkState, exact, ofSum, within } from "./support/optaxBounds.ts"

type Fed = Transform.Counted & Transform.SlotLists<{ readonly draws: Expr.Expr }>

/** `addNoise` whose draws lie in its state. */
const addFed = (options: { readonly eta: number; readonly gamma: number }): Transform.Transform<Fed> => ({
  name: "addFed",
  hyperParameters: {},
  needs: {},
  init: (params) => ({ count: zero, draws: Leaves.map(params, (p) => Expr.zerosLike(p)) }),
  update: (updates, state) => {
    const count = increment(state.count)
    const noisy = Leaves.map(updates, state.draws, (g, draw) => noised(g, draw, options, count))
    return { updates: noisy, state: { count, draws: state.draws } }
  }
})

type Options = Transform.AddNoiseOptions & Transform.NoisySgdOptions & { readonly eta: number; readonly gamma: number }

const fedChain = (record: OptaxRecord): Transform.Any => {
  const { learningRate, ...options } = decoded(record.kwargs) as unknown as Options
  if (record.name === "add_noise") return Transform.chain(addFed(options))
  return Transform.chain(addFed(options), Transform.scaleByLearningRate({ learningRate }))
}

const withDraws = ([first, ...others]: ReadonlyArray<object>, draws: unknown): ReadonlyArray<object> => [
  { ...first, draws: toTensors(draws) },
  ...others
]

const trajectory = Effect.fnUntraced(function* (record: OptaxRecord) {
  const transform = fedChain(record)
  let params: unknown = toTensors(record.params0)
  let state: ReadonlyArray<object> = yield* Transform.init(transform, params)
  for (const [step, grads] of record.grads.entries()) {
    const draws = record.extra.noise?.[step]
    const updated = yield* Transform.update(transform, toTensors(grads), withDraws(state, draws), { params })
    state = updated.state as ReadonlyArray<object>
    const bound = ofSum([grads, draws, record.params?.[step] ?? 1])
    if (record.updates !== undefined)
      within(yield* values(updated.updates), flat(record.updates[step]), bound, `${record.id} updates ${step}`)
    if (record.params === undefined) continue
    params = yield* Transform.applyUpdates(params, updated.updates)
    within(yield* values(params), flat(record.params[step]), bound, `${record.id} step ${step}`)
  }
  const own = record.name === "add_noise" ? state[0] : state
  yield* checkState(record, own, exact)
})

const records = [...optimizers, ...transforms].filter(({ name }) => name === "add_noise" || name === "noisy_sgd")

const shapes = { matrix: new Float32Array(20_000), vector: new Float32Array(20_000) }

for (const backend of backends) {
  layer(backend.layer)(`noise on ${backend.name}`, (it) => {
    describe("with the draws of Optax", () => {
      for (const record of records) it.effect(record.id, () => trajectory(record))
    })

    it.effect("has the mean 0 and the variance that was asked for, and less later", () =>
      Effect.gen(function* () {
        const noise = Transform.addNoise({ eta: 4, gamma: 1, key: 1 })
        let state = yield* Transform.init(noise, shapes)
        for (const variance of [4, 2, 4 / 3]) {
          const step = yield* Transform.update(noise, shapes, state)
          state = step.state
          for (const numbers of yield* values(step.updates)) {
            const mean = numbers.reduce((all, x) => all + x, 0) / numbers.length
            const found = numbers.reduce((all, x) => all + (x - mean) ** 2, 0) / numbers.length
            // Six standard deviations of what n independent draws give.
            assert.isBelow(Math.abs(mean), 6 * Math.sqrt(variance / numbers.length))
            assert.isBelow(Math.abs(found / variance - 1), 6 * Math.sqrt(2 / numbers.length))
          }
        }
      })
    )

    it.effect("of two leaves, steps and keys is not correlated", () =>
      Effect.gen(function* () {
        const of = (key: number) => Transform.addNoise({ eta: 1, gamma: 0, key })
        const first = yield* Transform.update(of(1), shapes, yield* Transform.init(of(1), shapes))
        const next = yield* Transform.update(of(1), shapes, first.state)
        const other = yield* Transform.update(of(2), shapes, yield* Transform.init(of(2), shapes))
        const draws = yield* values([first.updates, next.updates, other.updates])
        draws.forEach((a, index) =>
          draws.slice(index + 1).forEach((b) => {
            const correlation = a.reduce((all, x, at) => all + x * (b[at] ?? 0), 0) / a.length
            assert.isBelow(Math.abs(correlation), 6 / Math.sqrt(a.length))
          })
        )
      })
    )

    it.effect("is the same after a resume, and for a leaf whose neighbours are masked out", () =>
      Effect.gen(function* () {
        const noise = Transform.addNoise({ eta: 1, gamma: 0.5, key: 3 })
        const params = { a: Float32Array.of(0, 0), b: Float32Array.of(0, 0) }
        const first = yield* Transform.update(noise, params, yield* Transform.init(noise, params))
        const second = yield* Transform.update(noise, params, first.state)
        const resumed = yield* Transform.update(Transform.addNoise({ eta: 1, gamma: 0.5, key: 3 }), params, {
          count: 1
        })
        assert.deepStrictEqual(yield* values(resumed.updates), yield* values(second.updates))
        const masked = Transform.masked(noise, { a: false, b: true })
        const alone = yield* Transform.update(masked, params, yield* Transform.init(masked, params))
        assert.deepStrictEqual(yield* values(alone.updates.b), yield* values(first.updates.b))
      })
    )

    it.effect("is the same on every backend", () =>
      Effect.gen(function* () {
        const noise = Transform.addNoise({ eta: 1, gamma: 0.55 })
        const params = { w: Float32Array.of(0, 0, 0) }
        const { updates } = yield* Transform.update(noise, params, yield* Transform.init(noise, params))
        // Drawn by tfjs 4.22; other numbers here would be other numbers after an upgrade, for everybody.
        assert.deepStrictEqual(yield* values(updates), [
          [-1.2396924495697021, 1.6854653358459473, 0.061479393392801285]
        ])
      })
    )
  })
}

describe("seeds", () => {
  it("differ for all leaves of a step, and hardly meet over steps and keys", () => {
    const leaves = Array.from({ length: 1000 }, (_, leaf) => leaf)
    assert.strictEqual(new Set(leaves.map((leaf) => seedOf(7, 3, leaf))).size, 1000)
    const many = [0, 1, -1, 2 ** 40].flatMap((key) =>
      leaves.slice(0, 100).flatMap((count) => leaves.slice(0, 50).map((leaf) => seedOf(key, count, leaf)))
    )
    // Of 20000 numbers of 32 bits 0.05 pairs meet on average.
    assert.isAtLeast(new Set(many).size, many.length - 1)
  })

  it("change half of their bits with every bit of key, count and leaf", () => {
    const ones = (word: number): number => word.toString(2).replaceAll("0", "").length
    for (const at of [0, 1, 2]) {
      const changes = Array.from({ length: 20 }, (_, bit) => {
        const words = [5, 9, 2]
        const flipped = words.with(at, (words[at] ?? 0) ^ (1 << bit))
        return ones((seedOf(...words) - 1) ^ (seedOf(...flipped) - 1)) & 63
      })
      const mean = changes.reduce((all, x) => all + x, 0) / changes.length
      assert.approximately(mean, 16, 3)
    }
  })

  it("are never 0, which is no seed for tfjs", () => {
    assert.isAbove(seedOf(0, 0, 0), 0)
  })
})
