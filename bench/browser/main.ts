/**
 * The benchmark in a browser: `pnpm bench:browser`, or with `--quick`; with `--save` it writes what it found to
 * `bench/results`.
 *
 * Without a graphics card Chromium computes by SwiftShader: then times say how much work there is, not how fast a card
 * would do it, and launches and bytes are the figures that carry over.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { chromium } from "playwright"
import { createServer } from "vite"
import { findChromium, switches } from "../../scripts/browser/chromium.ts"
import { describeMachine } from "../machine.ts"
import type { Bench, StepResult } from "./result.ts"

const root = join(import.meta.dirname, "../..")
const wants = (flag: string): boolean => process.argv.includes(flag)

const found = await findChromium(root)
if (found === undefined) throw new Error("no Chromium: set CHROMIUM_PATH")

const server = await createServer({
  root: import.meta.dirname,
  cacheDir: join(root, "node_modules/.vite/bench"),
  logLevel: "error",
  resolve: { conditions: ["source-ts", "module", "browser", "development"] },
  server: { fs: { allow: [root] } },
  optimizeDeps: {
    include: [
      "@jax-js/jax",
      ...["core", "backend-wasm", "backend-webgl", "backend-webgpu"].map((name) => `@tensorflow/tfjs-${name}`)
    ]
  }
})
await server.listen()

const browser = await chromium.launch({
  executablePath: found.executablePath,
  env: { ...found.env },
  args: [...switches]
})

const shown = (count: number): string => (count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${Math.round(count)} B`)

const row = ({ bytesRead, bytesWritten, contestant, launches, median, readBacks }: StepResult): string =>
  [
    contestant,
    `${median.toFixed(3)} ms`,
    String(launches ?? "–"),
    bytesRead === undefined || bytesRead === 0 ? "–" : shown(bytesRead),
    bytesWritten === undefined || bytesWritten === 0 ? "–" : shown(bytesWritten),
    String(readBacks ?? "–")
  ].join(" | ")

const table = (results: ReadonlyArray<StepResult>): string => {
  const lines = ["| backend | case | | step | launches | read | written | read back | ÷ optim |", "|-|-|-|-|-|-|-|-|-|"]
  for (const result of results) {
    const own = results.find(
      ({ backend, contestant, case: name }) =>
        backend === result.backend && name === result.case && contestant === "optim"
    )
    const ratio = result.contestant === "optim" || own === undefined ? "" : (result.median / own.median).toFixed(1)
    lines.push(`| ${result.backend} | ${result.case} | ${row(result)} | ${ratio} |`)
  }
  return lines.join("\n")
}

const machine = describeMachine()

try {
  const page = await browser.newPage()
  page.on("pageerror", (error) => console.error(error))
  page.on("console", (message) => {
    if (message.type() === "warning" || message.type() === "error") console.error(message.text())
  })
  await page.goto(server.resolvedUrls?.local[0] ?? "")
  await page.waitForFunction(() => "bench" in globalThis, undefined, { timeout: 120_000 })
  const results = await page.evaluate(
    (quick) => (globalThis as typeof globalThis & { readonly bench: Bench }).bench.run(quick),
    wants("--quick")
  )
  const text = [
    `# Optimizers in Chromium ${browser.version()}, ${machine.date}`,
    "",
    `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore}; commit ${machine.commit}; tfjs ${machine.tfjs}, jax-js ${machine.jaxJs}; SwiftShader.`,
    "A launch is a pass on webgl, a dispatch on webgpu; on wasm, a tensor that tfjs makes.",
    "",
    table(results),
    ""
  ].join("\n")
  console.log(text)
  if (wants("--save")) writeFileSync(join(root, "bench/results", `browser-${machine.date.slice(0, 10)}.md`), text)
} finally {
  await browser.close()
  await server.close()
}
