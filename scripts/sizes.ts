/**
 * What a user pays for: bytes of small programs, bundled and minified, plain and gzipped.
 *
 * TensorFlow.js stays outside, because whoever trains has it already. Effect is counted: it is part of the price.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { root } from "./repository/workspace.ts"

const folder = join(root, ".generated/sizes")

const programs: Readonly<Record<string, string>> = {
  "schedules: exponentialDecay and at":
    'import { at, exponentialDecay } from "@optim/schedules"\n' +
    "console.log(at(exponentialDecay({ stepSize: 0.1, decaySteps: 10, decayRate: 0.5 }), 3))",
  "pytree: map": 'import * as PyTree from "@optim/pytree/PyTree"\nconsole.log(PyTree.map({ a: 1 }, (n) => n + 1))',
  "core: sgd on wasm, without tfjs":
    'import * as Optimizer from "@optim/core/Optimizer"\nimport * as Wasm from "@optim/core/wasm"\n' +
    "console.log(Optimizer.sgd({ stepSize: 0.1 }), Wasm.layer)",
  "core: adam on wasm, without tfjs":
    'import * as Optimizer from "@optim/core/Optimizer"\nimport * as Wasm from "@optim/core/wasm"\n' +
    "console.log(Optimizer.adam({ stepSize: 0.1 }), Wasm.layer)"
}

async function bundle(program: string): Promise<string> {
  const input = join(folder, "program.js")
  writeFileSync(input, program)
  const build = await rolldown({
    input,
    external: /^@tensorflow\//,
    platform: "browser",
    resolve: { conditionNames: ["source-ts", "import", "default"] },
    logLevel: "warn"
  })
  const { output } = await build.generate({ format: "esm", minify: true, comments: false })
  return output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("")
}

mkdirSync(folder, { recursive: true })
for (const [name, program] of Object.entries(programs)) {
  const code = Buffer.from(await bundle(program))
  const gzipped = gzipSync(code, { level: 9 }).length
  console.log(
    `${name.padEnd(40)} ${String(code.length).padStart(8)} B minified ${String(gzipped).padStart(8)} B gzipped`
  )
}
rmSync(folder, { recursive: true, force: true })
