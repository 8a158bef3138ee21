/**
 * A Chromium for tests and benchmarks: the one of `CHROMIUM_PATH`, one on the path, or the one that comes as a package.
 *
 * The package has the browser compressed, for Linux on x64, and brings the libraries that a bare machine lacks. It is
 * unpacked once, beside the other caches; nothing is installed on the machine and no root is needed.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { delimiter, join } from "node:path"

/** A browser that starts, with what its environment needs. */
export interface Chromium {
  readonly executablePath: string
  readonly env: { readonly [name: string]: string }
  readonly origin: string
}

const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]

const onPath = (): string | undefined =>
  names
    .flatMap((name) => (process.env["PATH"] ?? "").split(delimiter).map((directory) => join(directory, name)))
    .find((file) => existsSync(file))

const starts = ({ env, executablePath }: Chromium): boolean => {
  try {
    execFileSync(executablePath, ["--version", "--no-sandbox"], { env, stdio: "ignore", timeout: 30_000 })
    return true
  } catch {
    return false
  }
}

const inherited = (): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )

/** Unpacks the package into a folder: it goes where the temporary files are, so these are there meanwhile. */
async function unpack(folder: string): Promise<void> {
  const { TMPDIR } = process.env
  process.env["TMPDIR"] = folder
  try {
    const { default: packed, inflate } = await import("@sparticuz/chromium")
    await packed.executablePath()
    const archives = new URL("../bin/", import.meta.resolve("@sparticuz/chromium"))
    await inflate(new URL("al2023.tar.br", archives).pathname)
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = TMPDIR
  }
}

/** The browser of the package, unpacked in one piece or not at all. */
async function packaged(cache: string): Promise<string> {
  const folder = join(cache, "chromium-153.0.0")
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const unfinished = mkdtempSync(join(cache, "unpacking-"))
  try {
    await unpack(unfinished)
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}

async function fromPackage(root: string): Promise<ReadonlyArray<Chromium>> {
  if (process.platform !== "linux" || process.arch !== "x64") return []
  const folder = await packaged(join(root, "node_modules/.cache"))
  const executablePath = join(folder, "chromium")
  const origin = "the package @sparticuz/chromium"
  const libraries = [join(folder, "al2023/lib"), process.env["LD_LIBRARY_PATH"]].filter((path) => path !== undefined)
  return [
    { executablePath, env: inherited(), origin },
    { executablePath, env: { ...inherited(), LD_LIBRARY_PATH: libraries.join(delimiter) }, origin }
  ]
}

/** The first Chromium that starts; undefined where there is none and none can be brought. */
export async function findChromium(root: string): Promise<Chromium | undefined> {
  const installed = [process.env["CHROMIUM_PATH"], onPath()]
    .filter((path) => path !== undefined)
    .map((executablePath) => ({ executablePath, env: inherited(), origin: executablePath }))
  return installed.find(starts) ?? (await fromPackage(root)).find(starts)
}

/** WebGL 2 and WebGPU without a graphics card, on SwiftShader, and no calls to the outside. */
export const switches: ReadonlyArray<string> = [
  "--no-sandbox",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader"
]
