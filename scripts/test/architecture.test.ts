/**
 * The architecture as laws over the sources: which module may import which, and how large a module may grow.
 */
import { readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { type Import, reachable, resolveRelative, sourceOf } from "../repository/source.ts"
import { optionalPeers, type Package, packageOf, packages, root, shown, sourcesOf } from "../repository/workspace.ts"

interface Arrow extends Import {
  readonly from: string
}

const arrowsOf = (self: Package): ReadonlyArray<Arrow> =>
  sourcesOf(self).flatMap((file) => sourceOf(file).imports.map((one) => ({ ...one, from: file })))

const outward = (self: Package): ReadonlyArray<Arrow> =>
  arrowsOf(self).filter(({ specifier }) => !specifier.startsWith("."))

const print = ({ from, line, specifier }: Arrow): string => `${shown(from)}:${line} imports ${specifier}`

const none = (found: ReadonlyArray<string>): void => assert.deepStrictEqual(found, [])

/** Types may look back: a public module holds the type that its own internals work on. */
const runtimeTargets = (file: string): ReadonlyArray<string> =>
  sourceOf(file).imports.flatMap(({ specifier, typeOnly }) =>
    typeOnly ? [] : (resolveRelative(file, specifier) ?? [])
  )

/** A module on a cycle, with the way round; nothing when there is no cycle. */
function cycleIn(files: ReadonlyArray<string>): ReadonlyArray<string> {
  const done = new Set<string>()
  const path: Array<string> = []
  const visit = (file: string): ReadonlyArray<string> => {
    const start = path.indexOf(file)
    if (start >= 0) return [...path.slice(start), file].map(shown)
    if (done.has(file)) return []
    path.push(file)
    for (const target of runtimeTargets(file)) {
      const cycle = visit(target)
      if (cycle.length > 0) return cycle
    }
    path.pop()
    done.add(file)
    return []
  }
  for (const file of files) {
    const cycle = visit(file)
    if (cycle.length > 0) return cycle
  }
  return []
}

describe.each(packages)("$name", (self) => {
  const below = new Set(packages.slice(0, packages.indexOf(self)).map(({ name }) => name))

  it("imports only packages below it", () => {
    const upward = outward(self).filter(({ specifier }) => {
      const name = packageOf(specifier)
      return name.startsWith("@optim/") && !below.has(name)
    })
    none(upward.map(print))
  })

  it("imports only what it declares, and nothing of Node", () => {
    const { dependencies = {}, imports = {}, peerDependencies = {} } = self.manifest
    const declared = { ...dependencies, ...peerDependencies, ...imports }
    const undeclared = outward(self).filter(
      ({ specifier }) => isBuiltin(specifier) || !(packageOf(specifier) in declared)
    )
    none(undeclared.map(print))
  })

  it("never leaves its folder by a relative path", () => {
    const source = join(self.directory, "src")
    const strangers = arrowsOf(self).filter(({ from, specifier }) => {
      const target = resolveRelative(from, specifier)
      return target !== undefined && !target.startsWith(source)
    })
    none(strangers.map(print))
  })

  it("has no import cycle at run time", () => none(cycleIn(sourcesOf(self))))

  it("keeps optional peers behind lower-case sub-paths", () => {
    const optional = optionalPeers(self.manifest)
    const open = self.entries.filter(({ file }) => /[\\/](?:index|[A-Z]\w*)\.ts$/.test(file))
    const found = open.flatMap(({ file, specifier }) =>
      reachable(file).flatMap((source) =>
        source.imports
          .filter((one) => optional.includes(packageOf(one.specifier)))
          .map((one) => `${specifier} reaches ${shown(source.file)}:${one.line}, which imports ${one.specifier}`)
      )
    )
    none(found)
  })

  it("has no module over 500 lines", () => {
    const long = sourcesOf(self).filter((file) => sourceOf(file).text.trimEnd().split("\n").length > 500)
    none(long.map(shown))
  })
})

describe("tfjs", () => {
  const backends = ["wasm", "cpu", "webgl", "webgpu"]
  const rooms = [
    "internal/tfjs/",
    "internal/gpu/",
    // losses are functions of the user's tensors, to be differentiated by tfjs: they are written in its ops
    "internal/losses/",
    ...backends.flatMap((name) => [`internal/${name}/`, `${name}.ts`])
  ].map((room) => `packages/core/src/${room}`)

  it("is touched at run time only in its own rooms of core", () => {
    const elsewhere = packages
      .flatMap(outward)
      .filter(({ specifier, typeOnly }) => specifier.startsWith("@tensorflow/") && !typeOnly)
      .filter(({ from }) => !rooms.some((room) => shown(from).startsWith(room)))
    none(elsewhere.map(print))
  })

  it("is chosen by the user: no package imports a backend of core", () => {
    const chosen = packages
      .flatMap(outward)
      .filter(({ specifier }) => /^@optim\/core\/(?:wasm|cpu|webgl|webgpu|firstAvailable)$/.test(specifier))
    none(chosen.map(print))
  })
})

describe("the commands", () => {
  const text = (file: string): string => readFileSync(join(root, file), "utf8")

  it("are the same in the README and in continuous integration", () => {
    const command = "npx -y pnpm@12 test"
    assert.include(text("README.md"), command)
    assert.include(text(".ci/run"), `${command}\n`)
  })
})
