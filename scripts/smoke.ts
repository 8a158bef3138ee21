/**
 * The packages as a user gets them: packed, installed into empty folders, imported by plain Node.
 *
 * Each package is installed with the peers it requires and nothing else, in a layout in which a package sees only what
 * it declares. An entry that needs an optional peer is tried in a folder of its own that has this peer. Imported by every
 * Node at hand, the repository's and the machine's; then the compiler looks at the declarations.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, relative, resolve } from "node:path"
import { reachable } from "./repository/source.ts"
import { fail, mustRun } from "./repository/shell.ts"
import * as Workspace from "./repository/workspace.ts"

/** One installation: some entries of a package and the peers they need. */
interface Case {
  readonly self: Workspace.Package
  readonly peers: ReadonlyArray<string>
  readonly entries: ReadonlyArray<string>
}

const temporary = mkdtempSync(join(tmpdir(), "smoke-"))
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }))

const versions = Workspace.readManifest(Workspace.root).devDependencies ?? {}

/** Builds from nothing, so that no file of a removed module is packed. */
async function build(): Promise<void> {
  for (const { directory } of Workspace.packages) rmSync(join(directory, "dist"), { recursive: true, force: true })
  await mustRun("tsc", ["-b"])
}

async function pack(self: Workspace.Package): Promise<readonly [name: string, tarball: string]> {
  const output = await mustRun("pnpm", ["pack", "--json", "--pack-destination", temporary], { cwd: self.directory })
  const { filename } = JSON.parse(output.slice(output.indexOf("{"))) as { readonly filename: string }
  return [self.name, resolve(self.directory, filename)]
}

/** The optional peers that an entry cannot do without. */
const optionalPeersOf = (self: Workspace.Package, file: string): ReadonlyArray<string> => {
  const reached = new Set(
    reachable(file).flatMap(({ imports }) => imports.map((one) => Workspace.packageOf(one.specifier)))
  )
  return Workspace.optionalPeers(self.manifest).filter((name) => reached.has(name))
}

/** One case with the required peers alone, and one for each entry that needs more. */
function casesOf(self: Workspace.Package): ReadonlyArray<Case> {
  const peers = Workspace.requiredPeers(self.manifest)
  const needs = self.entries.map((entry) => ({ ...entry, optional: optionalPeersOf(self, entry.file) }))
  const plain = needs.filter(({ optional }) => optional.length === 0).map(({ specifier }) => specifier)
  const special = needs.filter(({ optional }) => optional.length > 0)
  return [
    { self, peers, entries: plain },
    ...special.map(({ optional, specifier }) => ({ self, peers: [...peers, ...optional], entries: [specifier] }))
  ]
}

async function install({ peers, self }: Case, tarballs: ReadonlyMap<string, string>): Promise<string> {
  const folder = mkdtempSync(join(temporary, "user-"))
  const dependencies = Object.fromEntries([
    [self.name, `file:${tarballs.get(self.name)}`],
    ...peers.map((peer) => [peer, versions[peer] ?? fail(`${peer} is not a dev dependency of the workspace`)])
  ])
  const overrides = [...tarballs].map(([name, tarball]) => `  "${name}": "file:${tarball}"`)
  const settings = [
    "packages: []",
    "autoInstallPeers: false",
    "strictPeerDependencies: true",
    "overrides:",
    ...overrides
  ]
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }))
  writeFileSync(join(folder, "pnpm-workspace.yaml"), `${settings.join("\n")}\n`)
  await mustRun("pnpm", ["install", "--prefer-offline", "--no-frozen-lockfile"], { cwd: folder })
  return folder
}

/** The Node that runs this script, and the first one on the path that no package brought along. */
const nodes: ReadonlyArray<string> = [
  process.execPath,
  ...(process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((directory) => !directory.includes("node_modules"))
    .map((directory) => join(directory, "node"))
    .filter((file) => existsSync(file))
    .slice(0, 1)
]

/** Imports every entry, and is refused what is internal. */
const program = (entries: ReadonlyArray<string>, closed: string): string => `
for (const entry of ${JSON.stringify(entries)}) {
  const names = Object.keys(await import(entry))
  if (names.length === 0) throw new Error(entry + " exports nothing")
}
await import(${JSON.stringify(closed)}).then(
  () => { throw new Error(${JSON.stringify(closed)} + " can be imported") },
  (error) => { if (error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error }
)
process.stdout.write(process.version)
`

async function importAll({ entries, self }: Case, folder: string): Promise<ReadonlyArray<string>> {
  const [inner = "anything.ts"] = Workspace.filesBelow(join(self.directory, "src/internal"), ".ts")
  const closed = `${self.name}/${relative(join(self.directory, "src"), inner).replaceAll("\\", "/").replace(/\.ts$/, "")}`
  writeFileSync(join(folder, "user.mjs"), program(entries, closed))
  const seen: Array<string> = []
  for (const node of nodes) seen.push(await mustRun(node, ["--no-warnings", "user.mjs"], { cwd: folder }))
  return [...new Set(seen)]
}

/** The declarations, seen by a strict user; those of tfjs itself do not pass without `skipLibCheck`. */
async function compile({ entries, peers }: Case, folder: string): Promise<void> {
  const lines = entries.map((entry, index) => `export * as entry${index} from "${entry}"`)
  const skipLibCheck = peers.some((peer) => peer.startsWith("@tensorflow/"))
  const options = { module: "nodenext", target: "es2022", lib: ["es2023", "dom"], types: [], strict: true }
  const compilerOptions = { ...options, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck }
  writeFileSync(join(folder, "user.ts"), `${lines.join("\n")}\n`)
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["user.ts"] }))
  await mustRun("tsc", ["--pretty", "false", "-p", folder])
}

/** Whoever does not ask for tfjs does not get it. */
function refuseTfjs({ peers, self }: Case, folder: string): void {
  if (peers.some((peer) => peer.startsWith("@tensorflow/"))) return
  const found = readdirSync(join(folder, "node_modules/.pnpm")).filter((name) => name.includes("tensorflow"))
  if (found.length > 0) fail(`${self.name} pulls in ${found.join(", ")}`)
}

/** Declarations, maps and their sources are there; nothing of the workspace is left in the manifest. */
function inspect(self: Workspace.Package, folder: string): void {
  const installed = join(folder, "node_modules", self.name)
  const manifest = readFileSync(join(installed, "package.json"), "utf8")
  if (/workspace:|source-ts/.test(manifest)) fail(`the manifest of ${self.name} speaks of the workspace`)
  const modules = Workspace.sourcesOf(self).map((file) =>
    relative(join(self.directory, "src"), file).replace(/\.ts$/, "")
  )
  const wanted = modules.flatMap((name) => [".js", ".d.ts", ".js.map", ".d.ts.map"].map((end) => `dist/${name}${end}`))
  const missing = ["README.md", "LICENSE", ...wanted].filter((file) => !existsSync(join(installed, file)))
  if (missing.length > 0) fail(`${self.name} is packed without ${missing.join(", ")}`)
  const stray = Workspace.filesBelow(join(installed, "dist"), ".tsbuildinfo", ".test.js")
  if (stray.length > 0) fail(`${self.name} is packed with ${stray.join(", ")}`)
  for (const map of wanted.filter((file) => file.endsWith(".map"))) followMap(join(installed, map))
}

function followMap(file: string): void {
  const { sources } = JSON.parse(readFileSync(file, "utf8")) as { readonly sources: ReadonlyArray<string> }
  for (const source of sources)
    if (!existsSync(join(dirname(file), source))) fail(`${file} names ${source}, which is not there`)
}

await build()
const tarballs = new Map<string, string>()
for (const self of Workspace.packages) tarballs.set(...(await pack(self)))
for (const one of Workspace.packages.flatMap(casesOf)) {
  const folder = await install(one, tarballs)
  const seen = await importAll(one, folder)
  await compile(one, folder)
  refuseTfjs(one, folder)
  inspect(one.self, folder)
  const what = one.entries.length === 1 ? one.entries[0] : `${one.self.name}, ${one.entries.length} entries`
  console.log(`${what} with ${one.peers.join(", ")}: imported by Node ${seen.join(", ")}, compiled`)
}
