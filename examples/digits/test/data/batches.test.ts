import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as Batches from "../../data/batches.ts"
import type { Table } from "../../data/table.ts"

/** A table whose rows can be told apart: row r is [r, -r], its label r. */
const table = (rows: number): Table => ({
  features: Float32Array.from({ length: rows * 2 }, (_, index) => (index % 2 === 0 ? index / 2 : -(index - 1) / 2)),
  labels: Int32Array.from({ length: rows }, (_, row) => row),
  rows,
  columns: ["plus", "minus"],
  classes: Array.from({ length: rows }, (_, row) => row)
})

const collect = (rows: number, options: Batches.BatchOptions) => Stream.runCollect(Batches.make(table(rows), options))

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  size: fc.integer({ min: 1, max: 50 }),
  epochs: fc.integer({ min: 0, max: 4 }),
  seed: fc.integer()
})

const runs = { seed: 20, numRuns: 60 }

const law = <A>(arbitrary: fc.Arbitrary<A>, holds: (input: A) => Effect.Effect<void, Batches.InvalidBatches>) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(arbitrary, (input) => Effect.runPromise(holds(input))),
      runs
    )
  )

describe("laws", () => {
  it.effect("every epoch has each row once, with its own label", () =>
    law(
      sizes,
      Effect.fnUntraced(function* ({ rows, ...options }) {
        const batches = yield* collect(rows, options)
        assert.lengthOf(batches, options.epochs * Batches.stepsPerEpoch(rows, options.size))
        for (let epoch = 0; epoch < options.epochs; epoch++) {
          const own = batches.filter((batch) => batch.epoch === epoch)
          const labels = own.flatMap((batch) => [...batch.labels])
          assert.deepStrictEqual(
            labels.toSorted((a, b) => a - b),
            [...table(rows).labels]
          )
          assert.deepStrictEqual(
            own.flatMap((batch) => [...batch.features]),
            labels.flatMap((row) => [row, -row])
          )
          assert.isTrue(own.slice(0, -1).every((batch) => batch.rows === options.size))
        }
      })
    )
  )

  it.effect("the batches from step k are the batches of the whole run without the first k", () =>
    law(
      fc.tuple(sizes, fc.nat(100)),
      Effect.fnUntraced(function* ([{ rows, ...options }, from]) {
        const whole = yield* collect(rows, options)
        assert.deepStrictEqual(yield* collect(rows, { ...options, from }), whole.slice(from))
        assert.deepStrictEqual(
          whole.map(({ step }) => step),
          [...whole.keys()]
        )
      })
    )
  )
})

describe("cases", () => {
  it.effect("epochs and seeds have orders of their own", () =>
    Effect.gen(function* () {
      const order = (seed: number, from: number) =>
        Effect.map(collect(50, { size: 50, epochs: 2, seed, from }), ([batch]) => [...(batch?.labels ?? [])])
      const orders = [yield* order(1, 0), yield* order(1, 1), yield* order(2, 0), [...table(50).labels]]
      assert.strictEqual(new Set(orders.map(String)).size, 4)
    })
  )

  it.effect("endless epochs are drawn as they are asked for", () =>
    Effect.gen(function* () {
      const batches = Batches.make(table(10), { size: 4, epochs: Infinity, seed: 1, from: 2_000_000 })
      const some = yield* Stream.runCollect(Stream.take(batches, 4))
      assert.deepStrictEqual(
        some.map(({ epoch, rows, step }) => [step, epoch, rows]),
        [
          [2_000_000, 666_666, 2],
          [2_000_001, 666_667, 4],
          [2_000_002, 666_667, 4],
          [2_000_003, 666_667, 2]
        ]
      )
    })
  )

  const valid = { size: 4, epochs: 1, seed: 1 }
  const refusals: ReadonlyArray<readonly [Batches.BatchOptions, number, string]> = [
    [{ ...valid, size: 0 }, 5, "batches: expected size to be a positive integer, found 0"],
    [{ ...valid, size: 2.5 }, 5, "batches: expected size to be a positive integer, found 2.5"],
    [{ ...valid, epochs: -1 }, 5, "batches: expected epochs to be a non-negative integer or Infinity, found -1"],
    [{ ...valid, from: -1 }, 5, "batches: expected from to be a non-negative integer, found -1"],
    [{ ...valid, seed: Number.NaN }, 5, "batches: expected seed to be a finite number, found NaN"],
    [valid, 0, "batches: expected rows to be at least 1, found 0"]
  ]
  for (const [options, rows, message] of refusals) {
    it.effect(message, () =>
      Effect.map(Effect.flip(collect(rows, options)), (error) => assert.strictEqual(error.message, message))
    )
  }
})
