import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Csv from "../../data/csv.ts"
import type { CsvError } from "../../data/csvError.ts"

/** A file with the text, and its path. */
const file = Effect.fnUntraced(function* (text: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const name = path.join(yield* fs.makeTempDirectoryScoped(), "rows.csv")
  yield* fs.writeFileString(name, text)
  return name
})

const read = (text: string, options: Partial<Csv.ReadOptions> = {}) =>
  Effect.flatMap(file(text), (path) => Csv.read(path, { label: "label", ...options }))

/** The message of the failure, with the file's name for its path. */
const failure = Effect.fnUntraced(function* (text: string, options: Partial<Csv.ReadOptions> = {}) {
  const path = yield* file(text)
  const error: CsvError = yield* Effect.flip(Csv.read(path, { label: "label", ...options }))
  return error.message.replaceAll(path, "rows.csv")
})

const small = ["a,label,b", "1,7,2", "3,5,-4.5e1", "5,7,.25"].join("\n")

layer(NodeServices.layer)("csv", (it) => {
  describe("cases", () => {
    it.effect("a table has its features row by row, and its labels as indexes of the classes", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* read(small), {
          features: Float32Array.of(1, 2, 3, -45, 5, 0.25),
          labels: Int32Array.of(1, 0, 1),
          rows: 3,
          columns: ["a", "b"],
          classes: [5, 7]
        })
      })
    )

    it.effect("byte order mark, CRLF, quotes, spaces, blank lines and a last line break change nothing", () =>
      Effect.gen(function* () {
        const dressed = `\uFEFF"a", label ,b\r\n1, 7 ,2\r\n\r\n"3",5,-4.5e1\r\n5,7,.25\r\n\r\n`
        assert.deepStrictEqual(yield* read(dressed), yield* read(small))
      })
    )

    it.effect("a table like another has its columns in that order, and its classes", () =>
      Effect.gen(function* () {
        const like = yield* read(small)
        const table = yield* read("b,a,label\n20,10,7\n", { like })
        assert.deepStrictEqual(table, {
          ...like,
          features: Float32Array.of(10, 20),
          labels: Int32Array.of(1),
          rows: 1
        })
      })
    )

    it.effect("a missing file", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Csv.read("no/such/file.csv", { label: "label" }))
        assert.strictEqual(error.message, "cannot read no/such/file.csv: no such file")
        assert.strictEqual(error._tag, "UnreadableFile")
      })
    )

    it.effect("a directory", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Csv.read(import.meta.dirname, { label: "label" }))
        assert.strictEqual(error._tag, "UnreadableFile")
        assert.match(error.message, /^cannot read [^\n]*directory[^\n]*$/)
      })
    )

    const failures: ReadonlyArray<readonly [name: string, text: string, message: string]> = [
      ["an empty file", "", "rows.csv has no header"],
      ["nothing but blank lines", "\n\n", "rows.csv has no header"],
      ["a header without rows", "a,label\n", "rows.csv has no rows"],
      ["no column but the label", "label\n1\n", 'rows.csv has no columns besides "label"'],
      ["no such column", "a,b\n1,2\n", 'rows.csv has no column "label"; its columns are a, b'],
      ["two columns of one name", "a,a,label\n1,2,3\n", 'rows.csv has more than one column "a"'],
      ["a short row", "a,label\n1,2\n3\n", "rows.csv, line 3: expected 2 cells as in the header, found 1"],
      ["a long row", "a,label\n\n1,2,3\n", "rows.csv, line 3: expected 2 cells as in the header, found 3"],
      ["a word", "a,label\n1,2\nx,2\n", 'rows.csv, line 3, column "a": expected a number, found "x"'],
      ["an empty cell", "a,label\n,2\n", 'rows.csv, line 2, column "a": expected a number, found ""'],
      [
        "an infinite cell",
        "a,label\nInfinity,2\n",
        'rows.csv, line 2, column "a": expected a number, found "Infinity"'
      ],
      [
        "a cell too large for float32",
        "a,label\n1e39,2\n",
        'rows.csv, line 2, column "a": expected a number, found "1e39"'
      ],
      ["a hexadecimal cell", "a,label\n0x10,2\n", 'rows.csv, line 2, column "a": expected a number, found "0x10"'],
      [
        "a label between two classes",
        "a,label\n1,0.5\n",
        'rows.csv, line 2, column "label": expected an integer, found "0.5"'
      ],
      [
        "a label that is a word",
        "a,label\n1,cat\n",
        'rows.csv, line 2, column "label": expected an integer, found "cat"'
      ],
      ["a quote that is never closed", 'a,label\n"1,2\n', "rows.csv, line 2: Unterminated quoted field"]
    ]
    for (const [name, text, message] of failures) {
      it.effect(name, () => Effect.map(failure(text), (found) => assert.strictEqual(found, message)))
    }

    it.effect("a table that does not go with the training data", () =>
      Effect.gen(function* () {
        const like = yield* read(small)
        assert.strictEqual(
          yield* failure("a,label\n1,7\n", { like }),
          'rows.csv has no column "b"; its columns are a, label'
        )
        assert.strictEqual(
          yield* failure("a,b,c,label\n1,2,3,7\n", { like }),
          'rows.csv has a column "c" that the training data does not have'
        )
        assert.strictEqual(
          yield* failure("a,b,label\n1,2,9\n", { like }),
          'rows.csv, line 2, column "label": expected one of the classes of the training data, 5, 7, found "9"'
        )
      })
    )
  })
})
