/**
 * Runs the examples as a user would, with their defaults, in an empty folder each.
 *
 * An example is `examples/<name>.ts` or `examples/<name>/main.ts`. It passes when it ends by itself with code 0.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fail, run } from "./repository/shell.ts"
import { root, shown } from "./repository/workspace.ts"

const folder = join(root, "examples")

const examples = readdirSync(folder, { withFileTypes: true })
  .map((entry) => join(folder, entry.isDirectory() ? `${entry.name}/main.ts` : entry.name))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && existsSync(file))

async function execute(file: string): Promise<boolean> {
  const cwd = mkdtempSync(join(tmpdir(), "example-"))
  const args = ["--conditions=source-ts", "--disable-warning=ExperimentalWarning", file]
  const { code, output } = await run(process.execPath, args, { cwd })
  rmSync(cwd, { recursive: true, force: true })
  const lines = output.trimEnd().split("\n").slice(-40)
  console.log(`--- ${shown(file)}\n${lines.join("\n")}\n--- ${code === 0 ? "passed" : `failed with code ${code}`}`)
  return code === 0
}

if (examples.length === 0) fail("there is no example to run")
for (const file of examples) if (!(await execute(file))) process.exitCode = 1
