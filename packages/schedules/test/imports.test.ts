import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"

const source = new URL("../src/", import.meta.url)

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))

/** What a module imports that is there when it runs; types are not. */
const importsOf = (file: URL): ReadonlyArray<string> =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^"=(]* from "(?<specifier>[^"]+)"/gm)].map(
    ({ groups }) => groups?.["specifier"] ?? assert.fail("no specifier")
  )

/** All modules of this package that a module needs, itself included, by their paths. */
const needed = (file: URL, known: Set<string> = new Set()): ReadonlySet<string> => {
  const path = file.pathname.slice(source.pathname.length)
  if (known.has(path)) return known
  known.add(path)
  for (const specifier of importsOf(file)) if (specifier.startsWith(".")) needed(new URL(specifier, file), known)
  return known
}

/** The kinds that are made of others, and of which. */
const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
  warmupCosineDecaySchedule: ["cosineDecaySchedule", "warmupConstantSchedule"],
  warmupExponentialDecaySchedule: ["exponentialDecay", "warmupConstantSchedule"],
  sgdrSchedule: ["cosineDecaySchedule", "warmupConstantSchedule", "warmupCosineDecaySchedule"]
}

/** What several kinds share and is no kind itself. */
const shared = new Set(["knots"])

describe("imports", () => {
  it("the package imports effect and itself, and nothing else", () => {
    const outside = new Set(
      files.flatMap((file) => importsOf(new URL(file, source))).filter((to) => !to.startsWith("."))
    )
    assert.deepStrictEqual(
      outside,
      new Set(["effect/Effect", "effect/Function", "effect/Predicate", "effect/Schema", "effect/SchemaIssue"])
    )
  })

  for (const file of files.filter((file) => file.startsWith("internal/kinds/"))) {
    const name = file.replace(/.*\/(.*)\.ts/, "$1")
    it(`${name} comes without the other schedules, the catalogue and the codec`, () => {
      const all = [...needed(new URL(file, source))]
      const kinds = all.filter((path) => path.includes("/kinds/")).map((path) => path.replace(/.*\/(.*)\.ts/, "$1"))
      const others = kinds.filter((kind) => kind !== name && !shared.has(kind))
      assert.deepStrictEqual(others.toSorted(), parts[name] ?? [])
      assert.notIncludeMembers(all, ["internal/catalogue.ts", "ScheduleSchema.ts", "index.ts"])
    })
  }

  it("what evaluates a schedule comes without the codec", () => {
    const all = [...needed(new URL("Schedule.ts", source))]
    assert.include(all, "internal/catalogue.ts")
    assert.notInclude(all, "ScheduleSchema.ts")
  })
})
