import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config"

const node: TestProjectInlineConfiguration = {
  ssr: { resolve: { conditions: ["source-ts", "module", "node", "development|production"] } },
  test: {
    name: "node",
    environment: "node",
    include: ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "scripts/test/**/*.test.ts"],
    testTimeout: 30_000,
    typecheck: {
      enabled: true,
      checker: "tsc",
      tsconfig: "./tsconfig.test.json",
      include: ["packages/*/test/**/*.test-d.ts"]
    }
  }
}

export default defineConfig({ test: { projects: [node] } })
