/**
 * Plans: a program cut into the steps in which it is executed.
 *
 * Elementwise nodes grow into kernels that read and write memory once; a reduction is a further result of the kernel that
 * makes its argument; what kernels do not have is left to the library, tfjs. Planning is pure and knows no backend: a
 * layer may run the kernels, or interpret the program node by node. Which buffer a step writes to is decided there.
 */
import { type FusedPlanStep, fuse } from "./internal/plan/fuse.ts"
import type { Program } from "./Program.ts"

export type { Buffer, FusedPlanStep, FusedStep, LibraryStep } from "./internal/plan/fuse.ts"
export type { BodyNode, BodyOp, Kernel, Operand, Result, Walk } from "./internal/plan/kernel.ts"

/** A program with the ways to execute it. */
export interface Plan {
  readonly program: Program
  /** Kernels and library operations, each after what it reads. */
  readonly steps: ReadonlyArray<FusedPlanStep>
  /** For whoever goes node by node: which values nobody reads after each node. */
  readonly releases: ReadonlyArray<ReadonlyArray<number>>
}

const lastUses = ({ nodes }: Program): ReadonlyArray<number> => {
  const last = nodes.map((_, id) => id)
  nodes.forEach((node, id) => {
    for (const arg of node.args) if (arg._tag === "Node") last[arg.id] = id
  })
  return last
}

const releasesOf = (program: Program): ReadonlyArray<ReadonlyArray<number>> => {
  const kept = new Set(program.outputs)
  const releases = program.nodes.map((): Array<number> => [])
  lastUses(program).forEach((user, id) => {
    if (program.nodes[id]?.operation.op !== "input" && !kept.has(id)) releases[user]?.push(id)
  })
  return releases
}

/**
 * The plan of a program.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Plan, Program } from "@optim/core"
 *
 * const spec = { shape: [3], dtype: "float32" } as const
 * const x = Expr.input(0, spec)
 * const plan = Plan.make(Program.make([spec], [Expr.sqrt(Expr.add(Expr.square(x), 1))]))
 * assert.deepStrictEqual(plan.steps.map((step) => step._tag), ["Fused"]) // one kernel
 * assert.deepStrictEqual(plan.releases, [[], [], [1], [2]]) // node by node: the square, then the sum
 * ```
 */
export const make = (program: Program): Plan => ({ program, steps: fuse(program), releases: releasesOf(program) })
