/**
 * Plans: a program cut into the steps in which it is executed.
 *
 * Planning is pure and knows no backend. A plan says in which order nodes are computed and after which step a value is
 * no longer needed, so that an executor holds as few buffers as it can. Which buffer a step writes to, and with which
 * instructions, is the business of the `Tensors` layer that executes it.
 */
import type { Program } from "./Program.ts"

/** One step: the node that is computed, and the nodes whose values nobody reads afterwards. */
export interface Step {
  readonly node: number
  readonly release: ReadonlyArray<number>
}

/** A program with the order of its execution. */
export interface Plan {
  readonly program: Program
  readonly steps: ReadonlyArray<Step>
}

const lastUses = ({ nodes }: Program): ReadonlyArray<number> => {
  const last = nodes.map((_, id) => id)
  nodes.forEach((node, id) => {
    for (const arg of node.args) if (arg._tag === "Node") last[arg.id] = id
  })
  return last
}

/**
 * The plan of a program: every node once, in its order; inputs and outputs are never released.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Plan, Program } from "@optim/core"
 *
 * const spec = { shape: [3], dtype: "float32" } as const
 * const x = Expr.input(0, spec)
 * const plan = Plan.make(Program.make([spec], [Expr.sqrt(Expr.square(x))]))
 * assert.deepStrictEqual(plan.steps.map((step) => step.release), [[], [], [1]])
 * ```
 */
export const make = (program: Program): Plan => {
  const kept = new Set(program.outputs)
  const release = program.nodes.map((): Array<number> => [])
  lastUses(program).forEach((user, id) => {
    if (program.nodes[id]?.operation.op !== "input" && !kept.has(id)) release[user]?.push(id)
  })
  return { program, steps: release.map((ids, node) => ({ node, release: ids })) }
}
