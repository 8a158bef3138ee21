/**
 * The workspace as the scripts see it: its packages, their manifests and what they publish.
 *
 * Entries are read from the sources, because `exports` names them by a pattern: every file directly under `src` is a
 * public module, `index.ts` is the package itself, and `internal/` is closed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, join, relative } from "node:path"

/** The root of the checkout. */
export const root = join(import.meta.dirname, "../..")

/** The part of a `package.json` that the scripts read. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  /** What the package calls its own files, depending on who imports: `#name`. */
  readonly imports?: Readonly<Record<string, unknown>>
}

/** One thing a user can import: `@optim/pytree/PyTree` and the file it comes from. */
interface Entry {
  readonly specifier: string
  readonly file: string
}

export interface Package {
  readonly name: string
  readonly directory: string
  readonly manifest: Manifest
  readonly entries: ReadonlyArray<Entry>
}

/** The packages from the ground up: each may import those before it, never those after it. */
const order = ["pytree", "schedules", "core", "serialize"] as const

export const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest

export const packages: ReadonlyArray<Package> = order.map((folder) => {
  const directory = join(root, "packages", folder)
  const manifest = readManifest(directory)
  return { name: manifest.name, directory, manifest, entries: entries(manifest.name, join(directory, "src")) }
})

function entries(name: string, source: string): ReadonlyArray<Entry> {
  return readdirSync(source)
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
    .map((file) => ({
      specifier: file === "index.ts" ? name : `${name}/${basename(file, ".ts")}`,
      file: join(source, file)
    }))
}

/** All files below a folder with one of the extensions, sorted; nothing when the folder does not exist. */
export const filesBelow = (folder: string, ...extensions: ReadonlyArray<string>): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => !/[\\/](?:node_modules|dist)[\\/]/.test(file))
        .toSorted()
    : []

export const sourcesOf = (self: Package): ReadonlyArray<string> => filesBelow(join(self.directory, "src"), ".ts")

/** A path as it is printed: from the root, with forward slashes. */
export const shown = (file: string): string => relative(root, file).replaceAll("\\", "/")

export const requiredPeers = ({ peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): ReadonlyArray<string> =>
  Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)

export const optionalPeers = ({ peerDependenciesMeta = {} }: Manifest): ReadonlyArray<string> =>
  Object.keys(peerDependenciesMeta).filter((name) => peerDependenciesMeta[name]?.optional === true)

/** `@scope/name` of `@scope/name/path`, `name` of `name/path`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")
