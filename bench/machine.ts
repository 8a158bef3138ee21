/**
 * Where and with what a measurement was made.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus, loadavg, totalmem, type } from "node:os"
import { version_core as tfjsVersion } from "@tensorflow/tfjs-core"

/** The description of a run. */
export interface Machine {
  readonly date: string
  readonly commit: string
  readonly cpu: string
  readonly cores: number
  readonly caches: string
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly v8: string
  readonly tfjs: string
  readonly jaxJs: string
  /** The load of the last minute when the run began: 0 to 1 is a quiet machine. */
  readonly loadBefore: number
}

const cacheFolder = "/sys/devices/system/cpu/cpu0/cache"

const caches = (): string =>
  [0, 1, 2, 3]
    .flatMap((index) => {
      const read = (name: string) => readFileSync(`${cacheFolder}/index${index}/${name}`, "utf8").trim()
      if (!existsSync(`${cacheFolder}/index${index}`)) return []
      const kind = { Data: "d", Instruction: "i", Unified: "" }[read("type")] ?? ""
      return [`L${read("level")}${kind} ${read("size")}`]
    })
    .join(", ")

const commit = (): string => {
  const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { encoding: "utf8" }).trim()
  try {
    const dirty = git("status", "--porcelain", "--", "packages") === "" ? "" : " and changes"
    return `${git("rev-parse", "--short", "HEAD")}${dirty}`
  } catch {
    return "unknown"
  }
}

const versionOf = (name: string): string => {
  const entry = createRequire(import.meta.url).resolve(name)
  const manifest = readFileSync(`${entry.slice(0, entry.lastIndexOf(name) + name.length)}/package.json`, "utf8")
  const { version }: { version: string } = JSON.parse(manifest)
  return version
}

/** Describes this machine now. */
export const describeMachine = (): Machine => ({
  date: new Date().toISOString(),
  commit: commit(),
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  caches: caches(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: type(),
  node: process.versions.node,
  v8: process.versions.v8,
  tfjs: tfjsVersion,
  jaxJs: versionOf("@jax-js/jax"),
  loadBefore: loadavg()[0] ?? Number.NaN
})
