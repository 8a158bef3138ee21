/**
 * The tools that check the documentation, checked: a fence that is missed is an example nobody runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { exportsOf, headerOf } from "../repository/docs.ts"
import { cut, docText, fencesOf, isDoc, treatment } from "../repository/fences.ts"
import { parseSource } from "../repository/source.ts"
import { join } from "node:path"

const fixture = join(import.meta.dirname, "fixtures/documented.ts")

describe("fences", () => {
  it("are cut with the line of their first line of code", () => {
    const text = ["# Title", "", "```ts", "const a = 1", "", "const b = 2", "```", "~", "```text", "prose", "```"]
    assert.deepStrictEqual(cut("README.md", text.join("\n"), 1), [
      { file: "README.md", line: 4, info: "ts", code: "const a = 1\n\nconst b = 2" },
      { file: "README.md", line: 10, info: "text", code: "prose" }
    ])
  })

  it("keep a shorter fence inside a longer one, and lose the indentation of a list", () => {
    const text = ["- item", "  ````ts", "  const fence = `", "  ```", "  `", "  ````"].join("\n")
    assert.deepStrictEqual(cut("a.md", text, 1), [
      { file: "a.md", line: 3, info: "ts", code: "const fence = `\n```\n`" }
    ])
  })

  it("must be closed", () => {
    assert.throws(() => cut("a.md", "one\n```ts\nconst a = 1", 1), "a.md:2 opens a fence that nothing closes")
  })

  it("of a source file come from doc comments only, with the line of the source", () => {
    assert.deepStrictEqual(
      fencesOf(fixture).map(({ code, line }) => [line, code]),
      [
        [5, "assert.strictEqual(twice(2), 4)"],
        [28, "assert.strictEqual(curried(1)(2), 3)"]
      ]
    )
  })

  it("tell by their info string what happens to them", () => {
    const fence = { file: "/a.md", line: 8, code: "" }
    assert.deepStrictEqual(
      ["ts", "ts no-run", "text", "sh", "json"].map((info) => treatment({ ...fence, info })),
      ["run", "compile", "ignore", "ignore", "ignore"]
    )
    for (const info of ["", "typescript", "ts norun", "js", "tsx"]) {
      const message = `/a.md:7 has a fence "${info}"; write "ts", "ts no-run" or "text"`
      assert.throws(() => treatment({ ...fence, info }), message)
    }
  })
})

describe("exports", () => {
  const kinds = (file: string): ReadonlyArray<string> =>
    [...exportsOf(file)].flatMap(([name, all]) =>
      all.map(({ doc, kind }) => `${name}: ${kind}, ${doc.trim().split("\n")[0] ?? ""}`)
    )

  it("are followed to their declarations", () => {
    assert.deepStrictEqual(kinds(join(import.meta.dirname, "fixtures/index.ts")), [
      "Documented: namespace, A module with all kinds of exports.",
      "twice: function, Twice a number.",
      "Pair: type, ",
      "plus: function, Adds.",
      "plus: function, ",
      "plus: function, ",
      "curried: function, Made by `dual`.",
      "answer: value, ",
      "Guest: value, An error.",
      "local: function, Exported by name only.",
      "theAnswer: value, Said here, and better.",
      "sum: function, Adds.",
      "sum: function, ",
      "sum: function, ",
      "double: function, Twice a number."
    ])
  })

  it("a header stands above imports or above another comment", () => {
    const header = (text: string): string => headerOf(parseSource("a.ts", text)).trim()
    assert.strictEqual(header('/** Header. */\nimport "b"\n/** One. */\nexport const a = 1'), "Header.")
    assert.strictEqual(header("/** Header. */\n/** One. */\nexport const a = 1"), "Header.")
    assert.strictEqual(header("/** One. */\nexport const a = 1"), "")
    assert.strictEqual(header('import "b"\n/** One. */\nexport const a = 1'), "")
  })

  it("a doc comment begins with two stars", () => {
    const { comments } = parseSource("a.ts", "/** yes\n * and more */\n/* no */\n// no\nexport const a = 1")
    assert.deepStrictEqual(comments.filter(isDoc).map(docText), [" yes\nand more "])
  })
})
