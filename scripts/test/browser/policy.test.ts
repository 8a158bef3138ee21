/**
 * A built page with the wasm layer, under a strict content security policy: WebAssembly is compiled, text is not
 * evaluated, and the `.wasm` files are found where the bundler put them.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import { chromium } from "playwright"
import { build } from "vite"
import { findChromium, switches } from "../../browser/chromium.ts"
import { root } from "../../repository/workspace.ts"

const types: { readonly [extension: string]: string } = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm"
}

const found = await findChromium(root)
const page = join(root, "scripts/test/fixtures/page")
const folder = mkdtempSync(join(tmpdir(), "policy-"))

/** Serves the built page under a policy. */
const serve = (policy: string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer(({ url = "/" }, response) => {
      const file = url === "/" ? "/index.html" : url
      try {
        const body = readFileSync(join(folder, file))
        response
          .writeHead(200, { "content-type": types[extname(file)] ?? "", "content-security-policy": policy })
          .end(body)
      } catch {
        response.writeHead(404).end()
      }
    })
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

/** What the page says under a policy. */
const outcome = async (policy: string): Promise<string> => {
  if (found === undefined) throw new Error("there is no Chromium")
  const server = await serve(policy)
  const { executablePath } = found
  const browser = await chromium.launch({ executablePath, env: { ...found.env }, args: [...switches] })
  try {
    const tab = await browser.newPage()
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await tab.waitForFunction(() => document.title !== "running")
    return await tab.title()
  } finally {
    await browser.close()
    server.close()
  }
}

describe.skipIf(found === undefined)("a built page under a content security policy", () => {
  beforeAll(async () => {
    await build({
      root: page,
      logLevel: "error",
      resolve: { conditions: ["source-ts", "module", "browser", "production"] },
      build: { outDir: folder, emptyOutDir: true, target: "es2023", chunkSizeWarningLimit: 5000 }
    })
    return () => rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  it("runs fused kernels where WebAssembly may be compiled", async () => {
    const title = await outcome("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'")
    assert.strictEqual(title, "0.90 1.90, fused kernels in WebAssembly SIMD, in place where donated")
  })

  it("says that there is no backend where it may not", async () => {
    const title = await outcome("default-src 'self'; script-src 'self'")
    assert.include(title, "BackendUnavailable: The tfjs backend 'wasm' is not available")
  })
})
