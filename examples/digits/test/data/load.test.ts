import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { describe as inWords, load } from "../../data/load.ts"
import { temporary } from "../support.ts"

const drawn = { train: undefined, test: undefined, label: undefined }

/** A file of rows `a,label` with these cells. */
const file = Effect.fnUntraced(function* (...rows: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* temporary("rows.csv")
  yield* fs.writeFileString(path, ["a,label", ...rows].join("\n"))
  return path
})

layer(NodeServices.layer)("load", (it) => {
  describe("laws", () => {
    it.effect("one seed draws one data set, with one fingerprint; another draws another", () =>
      Effect.gen(function* () {
        const [a, b, c] = yield* Effect.forEach([1, 1, 2], (seed) => load(drawn, seed))
        assert.strictEqual(a?.fingerprint, b?.fingerprint)
        assert.notStrictEqual(a?.fingerprint, c?.fingerprint)
      })
    )
    it.effect("the fingerprint notices a number, a label and the order of rows", () =>
      Effect.gen(function* () {
        const test = yield* file("1,0")
        const tables = [
          ["1,0", "2,1", "4,0"],
          ["1,0", "3,1", "4,0"],
          ["1,0", "2,0", "4,1"],
          ["2,1", "1,0", "4,0"]
        ]
        const prints = yield* Effect.forEach(tables, (rows) =>
          Effect.flatMap(file(...rows), (train) =>
            Effect.map(load({ ...drawn, train, test }, 0), ({ fingerprint }) => fingerprint)
          )
        )
        assert.strictEqual(new Set(prints).size, tables.length)
      })
    )
  })

  describe("cases", () => {
    it.effect("training rows fill the range from 0 to 1, and test rows are scaled like them", () =>
      Effect.gen(function* () {
        const train = yield* file("2,0", "4,1", "6,0")
        const test = yield* file("8,1")
        const data = yield* load({ ...drawn, train, test }, 0)
        assert.deepStrictEqual([...data.train.features], [0, 0.5, 1])
        assert.deepStrictEqual([...data.test.features], [1.5])
        assert.strictEqual(inWords(data), "3 rows to train on, 1 to test on: 1 columns, 2 classes")
      })
    )
    it.effect("without a file to test on, a fifth of the rows is kept aside", () =>
      Effect.gen(function* () {
        const train = yield* file(...Array.from({ length: 10 }, (_, row) => `${row},${row % 2}`))
        const data = yield* load({ ...drawn, train }, 0)
        assert.deepStrictEqual([data.train.rows, data.test.rows], [8, 2])
      })
    )
    it.effect("one class alone is nothing to learn", () =>
      Effect.gen(function* () {
        const train = yield* file("1,3", "2,3")
        const error = yield* Effect.flip(load({ ...drawn, train }, 0))
        assert.strictEqual(error.message, `${train} has too few rows to learn from: expected two classes or more`)
      })
    )
  })
})
