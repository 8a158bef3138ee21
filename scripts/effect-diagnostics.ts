/**
 * Proves that the compiler knows Effect.
 *
 * `effect-tsgo patch` puts Effect's own diagnostics into the compiler when the packages are installed; if that did not
 * happen, `tsc` passes in silence whatever it should have found. So it is given a program with a forgotten `yield*`.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fail, run } from "./repository/shell.ts"
import { root } from "./repository/workspace.ts"

const folder = join(root, ".generated/forgotten")
const program = `import * as Effect from "effect/Effect"

export const program = Effect.gen(function* () {
  Effect.fail("nobody yields this")
  yield* Effect.void
})
`

mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, "forgotten.ts"), program)
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.test.json",
    compilerOptions: { rootDir: "." },
    files: ["forgotten.ts"],
    include: []
  })
)
const { code, output } = await run("tsc", ["--pretty", "false", "-p", folder])
if (code === 0 || !output.includes("forgotten.ts(4,3)") || !output.includes("TS377001")) {
  fail(`tsc does not report a forgotten yield*: run "npx -y pnpm@12 exec effect-tsgo patch"\n${output}`)
}
console.log("the compiler reports a forgotten yield*")
