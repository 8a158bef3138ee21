import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { split } from "../../data/split.ts"
import type { Table } from "../../data/table.ts"

const table = (rows: number): Table => ({
  features: Float32Array.from({ length: rows }, (_, row) => row),
  labels: Int32Array.from({ length: rows }, (_, row) => row),
  rows,
  columns: ["a"],
  classes: Array.from({ length: rows }, (_, row) => row)
})

describe("split", () => {
  it.effect("every row is in one of the two tables, at random but the same for one seed", () =>
    Effect.gen(function* () {
      const { test, train } = yield* split(table(20), { seed: 1, test: 0.25 })
      assert.deepStrictEqual([train.rows, test.rows], [15, 5])
      assert.deepStrictEqual([...train.features], [...train.labels])
      assert.deepStrictEqual(
        [...train.labels, ...test.labels].toSorted((a, b) => a - b),
        [...table(20).labels]
      )
      assert.notDeepEqual([...test.labels], [0, 1, 2, 3, 4])
      assert.deepStrictEqual(yield* split(table(20), { seed: 1, test: 0.25 }), { train, test })
    })
  )

  it.effect("both keep at least one row", () =>
    Effect.gen(function* () {
      for (const share of [0, 1]) {
        const { test, train } = yield* split(table(2), { seed: 1, test: share })
        assert.deepStrictEqual([train.rows, test.rows], [1, 1])
      }
    })
  )
})
