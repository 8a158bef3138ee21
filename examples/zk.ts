import { Expr, Program, Scalar } from "@optim/core"
import { fuse } from "../packages/core/src/internal/plan/fuse.ts"
import { compile, recordWords } from "../packages/core/src/internal/wasm/compile.ts"
import { moduleBytes } from "../packages/core/src/internal/wasm/assembler.ts"
const n = 1_000_003
const spec = { shape: [n], dtype: "float32" } as const
const t = Scalar.input("step", 0)
const [g, m0, v0, x0] = [0, 1, 2, 3].map((i) => Expr.input(i, spec)) as [Expr.Expr, Expr.Expr, Expr.Expr, Expr.Expr]
const m = Expr.ema(0.9, m0, g), v = Expr.ema(0.999, v0, Expr.square(g))
const x = Expr.sub(x0, Expr.div(Expr.mul(1e-3, Expr.div(m, Expr.debias(0.9, t))), Expr.add(Expr.sqrt(Expr.div(v, Expr.debias(0.999, t))), 1e-8)))
const program = Program.make([spec, spec, spec, spec], [m, v, x, Expr.sum(Expr.square(g))])
const steps = fuse(program)
console.log(JSON.stringify(steps, null, 0).slice(0, 1500))
const step = steps[0]!
if (step._tag !== "Fused") throw 1
const asm = compile(step.kernel)
const bytes = moduleBytes(asm, false)
console.log(bytes.length, "bytes")
const memory = new WebAssembly.Memory({ initial: 2000 })
const t0 = performance.now()
const inst = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
console.log("compile", performance.now() - t0)
const run = inst.exports["run"] as (a: number, b: number, c: number) => void
const f = new Float32Array(memory.buffer), u = new Uint32Array(memory.buffer)
const at = (k: number) => 1024 + k * (n + 16)
const scal = Program.evaluateScalars(program, [0])
step.scalars.forEach((id, i) => { f[64 + i] = scal[id]! })
const words = [...step.extents]
const ptr: Record<number, number> = {}
program.nodes.forEach((node, id) => { if (node.operation.op === "input") ptr[id] = at(node.operation.index) * 4 })
step.inputs.forEach((b) => words.push(ptr[b.node]!))
step.results.forEach((b, i) => words.push(at(4 + i) * 4))
console.log(words, recordWords(step.kernel))
words.forEach((w, i) => { u[16 + i] = w })
for (let i = 0; i < n; i++) { f[at(0) + i] = Math.sin(i); f[at(3) + i] = 1 }
const reset = () => { f[at(7)] = 0 }
reset(); run(64, 1, 256)
console.log(f[at(4)+1], 0.1*Math.sin(1), f[at(6)+1], f[at(6)+n-1], "sumsq", f[at(7)], n/2)
for (let r = 0; r < 5; r++) run(64, 1, 256)
const s = performance.now(); for (let r = 0; r < 20; r++) run(64, 1, 256); console.log((performance.now() - s) / 20 / n * 1e6, "ns/el")
