import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generate } from "../../data/dataset.ts"
import type { Table } from "../../data/table.ts"

const width = 64

const row = ({ features }: Table, index: number): Float32Array => features.subarray(index * width, (index + 1) * width)

const distance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, index) => sum + (value - (b[index] ?? Number.NaN)) ** 2, 0)

/** The share of the test rows whose nearest reference row has their label. */
const accuracy = (references: Table, test: Table): number => {
  const guess = (index: number) => {
    const distances = Array.from({ length: references.rows }, (_, at) =>
      distance(row(test, index), row(references, at))
    )
    return references.labels[distances.indexOf(Math.min(...distances))]
  }
  return (
    Array.from({ length: test.rows }, (_, index) => guess(index)).filter((label, at) => label === test.labels[at])
      .length / test.rows
  )
}

/** One row for each class: the mean of its rows. */
const means = (table: Table): Table => {
  const features = new Float32Array(10 * width)
  for (const [index, label] of table.labels.entries()) {
    for (const [column, value] of row(table, index).entries()) {
      features[label * width + column] = (features[label * width + column] ?? 0) + (value * 10) / table.rows
    }
  }
  return { ...table, features, labels: Int32Array.from({ length: 10 }, (_, label) => label), rows: 10 }
}

describe("dataset", () => {
  it.effect("one seed, one data set; another seed, another", () =>
    Effect.gen(function* () {
      const options = { seed: 7, train: 30, test: 20 }
      const dataset = yield* generate(options)
      assert.deepStrictEqual(yield* generate(options), dataset)
      assert.notDeepEqual((yield* generate({ ...options, seed: 8 })).train.features, dataset.train.features)
      assert.notDeepEqual(dataset.train.features.subarray(0, 20 * width), dataset.test.features)
    })
  )

  it.effect("rows are 8×8 pixels of 0 to 16, the ten classes equally often", () =>
    Effect.gen(function* () {
      const { test, train } = yield* generate({ seed: 1, train: 200, test: 50 })
      assert.deepStrictEqual([train.rows, test.rows, train.columns.length], [200, 50, width])
      assert.strictEqual(train.features.length, 200 * width)
      assert.isTrue(train.features.every((value) => Number.isInteger(value) && value >= 0 && value <= 16))
      assert.deepStrictEqual(train.classes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      for (const label of train.classes)
        assert.lengthOf(
          train.labels.filter((other) => other === label),
          20
        )
    })
  )

  it.effect("the mean image of a class is a poor guide, the examples themselves are a good one", () =>
    Effect.gen(function* () {
      const { test, train } = yield* generate({ seed: 3, train: 2000, test: 300 })
      assert.isBelow(accuracy(means(train), test), 0.75)
      assert.isAbove(accuracy(train, test), 0.92)
    })
  )
})
