import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"

const source = new URL("../src/", import.meta.url)

const imports = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => [
    ...readFileSync(new URL(file, source), "utf8").matchAll(/^(?! \*).*\b(?:from|import) ?\(?"([^"]+)"/gm)
  ])
  .map(([, specifier]) => specifier)

describe("imports", () => {
  it("the package imports effect and itself, and nothing else", () => {
    const outside = new Set(imports.filter((specifier) => !specifier?.startsWith(".")))
    assert.deepStrictEqual(outside, new Set(["effect/Function", "effect/Predicate", "effect/Schema"]))
  })
})
