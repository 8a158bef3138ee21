import { playwright } from "@vitest/browser-playwright"
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config"
import { findChromium, switches } from "./scripts/browser/chromium.ts"

const node: TestProjectInlineConfiguration = {
  ssr: { resolve: { conditions: ["source-ts", "module", "node", "development|production"] } },
  test: {
    name: "node",
    environment: "node",
    include: ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "scripts/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.browser.test.ts"],
    testTimeout: 30_000,
    typecheck: {
      enabled: true,
      checker: "tsc",
      tsconfig: "./tsconfig.test.json",
      include: ["packages/*/test/**/*.test-d.ts"]
    }
  }
}

/** What computes on the host alone, and so as in Node: expressions, plans as they are made, text of errors. */
const hostOnly = [
  "Expr",
  "OptimError",
  "Plan",
  "Program",
  "Scalar",
  "allocation",
  "progress",
  "transforms/catalogue",
  "transforms/passes"
]

const chromium = await findChromium(import.meta.dirname)
if (chromium === undefined) {
  const missing =
    "No Chromium: none in CHROMIUM_PATH, none on the path, and @sparticuz/chromium (Linux on x64) does not start here."
  if (process.env["CI"] !== undefined) throw new Error(missing)
  console.error(`\n!!! ${missing}\n!!! THE TESTS IN A BROWSER ARE LEFT OUT. Set CHROMIUM_PATH to run them.\n`)
}

const browser = (found: NonNullable<typeof chromium>): TestProjectInlineConfiguration => ({
  resolve: { conditions: ["source-ts", "module", "browser", "development|production"] },
  // Found late, a dependency reloads the page in the middle of a test.
  optimizeDeps: {
    include: [
      "@effect/vitest",
      "@tensorflow/tfjs-backend-cpu",
      "@tensorflow/tfjs-backend-wasm",
      "@tensorflow/tfjs-backend-webgl",
      "@tensorflow/tfjs-backend-webgpu",
      "@tensorflow/tfjs-core",
      "@tensorflow/tfjs-core/dist/register_all_gradients.js",
      "fast-check"
    ]
  },
  test: {
    name: "browser",
    include: ["packages/core/test/**/*.test.ts", "packages/serialize/test/**/*.browser.test.ts"],
    exclude: hostOnly.map((name) => `packages/core/test/${name}.test.ts`),
    fileParallelism: false,
    setupFiles: ["packages/core/test/support/browser.ts"],
    testTimeout: 180_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath: found.executablePath, env: { ...found.env }, args: [...switches] }
      }),
      instances: [{ browser: "chromium" }]
    }
  }
})

export default defineConfig({ test: { projects: chromium === undefined ? [node] : [node, browser(chromium)] } })
