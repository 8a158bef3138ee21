import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { apply, ColumnMismatch, fit, type Method } from "../../data/normalize.ts"
import type { Table } from "../../data/table.ts"

const table = (columns: number, features: ReadonlyArray<number>): Table => ({
  features: Float32Array.from(features),
  labels: new Int32Array(features.length / columns),
  rows: features.length / columns,
  columns: Array.from({ length: columns }, (_, index) => `c${index}`),
  classes: [0]
})

const runs = { seed: 20, numRuns: 200 }
const column = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 30 })

const normalized = (values: ReadonlyArray<number>, method: Method): ReadonlyArray<number> => {
  const rows = table(1, values)
  return [...apply(rows, fit(rows, method)).features]
}

describe("laws", () => {
  it("range fills 0 to 1, and keeps the order", () => {
    const law = fc.property(column, (values) => {
      const features = normalized(values, "range")
      const spread = new Set(table(1, values).features).size > 1
      assert.strictEqual(Math.min(...features), 0)
      assert.strictEqual(Math.max(...features), spread ? 1 : 0)
      const byValue = values.map((_, row) => row).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
      const ordered = byValue.map((row) => features[row] ?? Number.NaN)
      assert.deepStrictEqual(
        ordered,
        ordered.toSorted((a, b) => a - b)
      )
    })
    fc.assert(law, runs)
  })

  it("standard has mean 0 and standard deviation 1", () => {
    const law = fc.property(column, (values) => {
      fc.pre(new Set(table(1, values).features).size > 1)
      const features = normalized(values, "standard")
      const mean = features.reduce((sum, value) => sum + value, 0) / features.length
      const variance = features.reduce((sum, value) => sum + (value - mean) ** 2, 0) / features.length
      assert.approximately(mean, 0, 1e-5)
      assert.approximately(variance, 1, 1e-4)
    })
    fc.assert(law, runs)
  })
})

describe("cases", () => {
  it("each column has its own scale, and other tables are scaled with the numbers of this one", () => {
    const normalizer = fit(table(2, [0, 10, 4, 30]), "range")
    assert.deepStrictEqual(normalizer, { offset: [0, 10], scale: [0.25, 0.05] })
    assert.deepStrictEqual(apply(table(2, [8, 20]), normalizer).features, Float32Array.of(2, 0.5))
  })

  it("a constant column becomes 0, also where another table differs", () => {
    for (const method of ["range", "standard"] as const) {
      const normalizer = fit(table(2, [0.1, 1, 0.1, 2, 0.1, 3]), method)
      assert.strictEqual(normalizer.scale[0], 0)
      assert.strictEqual(apply(table(2, [16, 2]), normalizer).features[0], 0)
    }
  })

  it("a single row is constant", () => {
    assert.deepStrictEqual(normalized([5], "standard"), [0])
  })

  it("another number of columns is refused", () => {
    const normalizer = fit(table(2, [0, 1, 2, 3]), "range")
    try {
      apply(table(3, [1, 2, 3]), normalizer)
      assert.fail("nothing was refused")
    } catch (error) {
      assert.instanceOf(error, ColumnMismatch)
      assert.strictEqual(error.message, "the normalizer is for 2 feature columns, the table has 3")
    }
  })
})
