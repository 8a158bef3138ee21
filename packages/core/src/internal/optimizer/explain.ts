/** What an optimizer does for given parameters, as text. */
import { KeyPath, TreeDef } from "@optim/pytree"
import * as Effect from "effect/Effect"
import type { OptimError } from "../../OptimError.ts"
import { Tensors } from "../../Tensors.ts"
import { countElements, explainPlan, planTraffic } from "../plan/explain.ts"
import type { Optimizer, Traced } from "./rule.ts"

const simple = (path: KeyPath.KeyPath): string => KeyPath.keystr(path, { simple: true, separator: "." })

/** The parts of a transform's state: a tree of the parameters' structure is one of them. */
const partNames = (state: TreeDef.TreeDef, params: TreeDef.TreeDef): ReadonlyArray<string> => {
  const leaves = TreeDef.paths(params).map((path) => `.${simple(path)}`)
  const part = (path: string): string =>
    path.slice(0, path.length - (leaves.find((leaf) => path.endsWith(leaf)) ?? "").length)
  return [...new Set(TreeDef.paths(state).map((path) => part(simple(path))))]
}

const slotNames = ({ subtreeDefs, transform, treeDef }: Traced): string => {
  const [first] = subtreeDefs
  if (first === undefined) return "none"
  const names = TreeDef.paths(first).map((path) => (path.length === 0 ? "x" : simple(path)))
  return [...names, ...(transform === undefined ? [] : partNames(transform.treeDef, treeDef))].join(", ")
}

const ratio = (a: number, b: number, digits = 2): string => (b === 0 ? "0" : (a / b).toFixed(digits))

/**
 * Explains an update: the slots of the state, what goes through memory for each parameter, how the layer executes all this,
 * the kernels with their formulas and their share of the traffic, and what is not fused and why. Computes nothing and makes
 * no tensor.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const text = await Effect.runPromise(
 *   Optimizer.explain(Optimizer.sgd({ stepSize: 0.1 }), { w: new Float32Array(1000), b: 0 }).pipe(Effect.provide(Cpu.layer))
 * )
 * assert.strictEqual(
 *   text,
 *   [
 *     "sgd.update: 2 leaves, 1001 parameters",
 *     "state: x; 1.00 numbers per parameter",
 *     "memory: 8.0 bytes read and 4.0 written per parameter",
 *     "executed: op by op, by tfjs (cpu)",
 *     "kernel 1: applied 2 times, 1001 elements",
 *     "    2 inputs, 1 scalar, 1 result; per element 8.0 bytes read, 4.0 written",
 *     "    v0 = mul(s0, in0)",
 *     "    v1 = sub(in1, v0)",
 *     "    out0 = v1"
 *   ].join("\n")
 * )
 * ```
 */
export const explain = <S>(optimizer: Optimizer<S>, params: unknown): Effect.Effect<string, OptimError, Tensors> =>
  Effect.gen(function* () {
    const { execution } = yield* Tensors
    const traced = yield* optimizer.trace(params)
    const { leafCount } = traced.treeDef
    const { inputs } = traced.update.program
    const parameters = countElements(inputs.slice(0, leafCount))
    const { read, written } = planTraffic(traced.update)
    return [
      `${optimizer.name}.update: ${leafCount} ${leafCount === 1 ? "leaf" : "leaves"}, ${parameters} parameters`,
      `state: ${slotNames(traced)}; ${ratio(countElements(traced.slots), parameters)} numbers per parameter`,
      `memory: ${ratio(read, parameters, 1)} bytes read and ${ratio(written, parameters, 1)} written per parameter`,
      `executed: ${execution}`,
      explainPlan(traced.update)
    ].join("\n")
  })
