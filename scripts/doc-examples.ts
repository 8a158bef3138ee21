/**
 * The examples of the documentation, compiled and run.
 *
 * Every `ts` fence of the doc comments, of the READMEs and of `docs/` becomes a file of its own in `.generated/examples`,
 * is compiled under the repository's own rules and run by plain Node. A fence stands in its file on the line where it
 * stands in the source, so that messages of the compiler and of Node carry the source's line.
 *
 *     node scripts/doc-examples.ts [part of a path]
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Fence, fencesOf, treatment } from "./repository/fences.ts"
import { fail, inParallel, run } from "./repository/shell.ts"
import { filesBelow, packages, root, shown, sourcesOf } from "./repository/workspace.ts"

const generated = join(root, ".generated/examples")

interface Example {
  readonly fence: Fence
  readonly file: string
  readonly runs: boolean
}

const documents = (): ReadonlyArray<string> => [
  ...[join(root, "README.md")].filter((file) => existsSync(file)),
  ...packages.flatMap(({ directory }) => filesBelow(directory, "README.md")),
  ...filesBelow(join(root, "docs"), ".md")
]

/** Writes one file per fence; the empty lines above it keep its line number. */
function write(fence: Fence): Example {
  const file = join(generated, `${shown(fence.file).replaceAll("/", "__")}__${fence.line}.ts`)
  writeFileSync(file, `${"\n".repeat(fence.line - 1)}${fence.code}\n`)
  return { fence, file, runs: treatment(fence) === "run" }
}

function examples(part: string): ReadonlyArray<Example> {
  rmSync(generated, { recursive: true, force: true })
  mkdirSync(generated, { recursive: true })
  return [...packages.flatMap(sourcesOf), ...documents()]
    .filter((file) => shown(file).includes(part))
    .flatMap(fencesOf)
    .filter((fence) => treatment(fence) !== "ignore")
    .map(write)
}

/** Names the source wherever a message names the file that was made from it. */
const translate = (output: string, all: ReadonlyArray<Example>): string =>
  all.reduce((text, { fence, file }) => {
    const source = shown(fence.file)
    return text.replaceAll(`file://${file}`, source).replaceAll(file, source).replaceAll(shown(file), source)
  }, output)

async function compile(all: ReadonlyArray<Example>): Promise<string> {
  const tsconfig = join(generated, "tsconfig.json")
  const compilerOptions = { rootDir: "../..", noUnusedLocals: false, noUnusedParameters: false }
  const files = all.map(({ file }) => file)
  writeFileSync(tsconfig, JSON.stringify({ extends: "../../tsconfig.test.json", compilerOptions, files, include: [] }))
  const { code, output } = await run("tsc", ["--pretty", "false", "-p", tsconfig])
  return code === 0 ? "" : translate(output, all)
}

/** Runs an example; the answer is what to report, empty when it passed. */
async function execute(example: Example): Promise<string> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, ".generated/compile-cache") }
  const args = ["--conditions=source-ts", "--disable-warning=ExperimentalWarning", example.file]
  const { code, output } = await run(process.execPath, args, { env, timeoutMs: 60_000 })
  if (code === 0) return ""
  const { file, line } = example.fence
  const report = translate(output, [example]).trimEnd().split("\n").slice(0, 30).join("\n")
  return `${shown(file)}:${line}  the example fails\n${report}`
}

const all = examples(process.argv[2] ?? "")
if (all.length === 0) fail("there is no example to check")
const compilerReport = await compile(all)
if (compilerReport !== "")
  fail(`${compilerReport}\ndoc examples: ${all.length} found, not run because they do not compile`)
const runnable = all.filter(({ runs }) => runs)
const failures = (await inParallel(runnable, execute)).filter((report) => report !== "")
for (const report of failures) console.error(report)
console.log(
  `doc examples: ${runnable.length - failures.length} passed, ${failures.length} failed, ` +
    `${all.length - runnable.length} compiled only`
)
process.exitCode = failures.length === 0 ? 0 : 1
