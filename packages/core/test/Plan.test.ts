/** Plans: every node once, and no value held longer than somebody reads it. */
import { assert, describe, it } from "@effect/vitest"
import { Expr, Plan, Program } from "@optim/core"
import * as fc from "fast-check"
import { randomProgram } from "./support/randomProgram.ts"

const runs = { seed: 37, numRuns: 500 } as const

const releasesOf = ({ releases }: Plan.Plan): ReadonlyArray<readonly [released: number, after: number]> =>
  releases.flatMap((ids, node) => ids.map((id) => [id, node] as const))

/** What a step reads, and what exists after it. */
const readBy = ({ program }: Plan.Plan, step: Plan.FusedPlanStep): ReadonlyArray<number> =>
  step._tag === "Fused"
    ? step.inputs.map(({ node }) => node)
    : (program.nodes[step.node]?.args ?? []).flatMap((arg) => (arg._tag === "Node" ? [arg.id] : []))

const writtenBy = (step: Plan.FusedPlanStep): ReadonlyArray<number> =>
  step._tag === "Fused" ? step.results.map(({ node }) => node) : [step.node]

/** The node that reads a value last, or the node itself. */
const lastReader = ({ nodes }: Program.Program, id: number): number =>
  Math.max(
    id,
    nodes.findLastIndex(({ args }) => args.some((arg) => arg._tag === "Node" && arg.id === id))
  )

describe("laws", () => {
  it("every step finds what it reads, writes once, and all outputs exist in the end", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => {
        const plan = Plan.make(program)
        const done = new Set(program.nodes.flatMap(({ operation }, id) => (operation.op === "input" ? [id] : [])))
        for (const step of plan.steps) {
          for (const id of readBy(plan, step)) assert.isTrue(done.has(id), `${id} is read before it is written`)
          for (const id of writtenBy(step)) assert.isFalse(done.has(id), `${id} is written twice`)
          for (const id of writtenBy(step)) done.add(id)
        }
        for (const id of program.outputs) assert.isTrue(done.has(id), `output ${id} is not written`)
      }),
      runs
    ))

  it("every intermediate is released exactly once, right after its last use", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => {
        const intermediates = [...program.nodes.keys()].filter(
          (id) => program.nodes[id]?.operation.op !== "input" && !program.outputs.includes(id)
        )
        const expected = intermediates.map((id) => [id, lastReader(program, id)] as const)
        assert.deepStrictEqual(
          releasesOf(Plan.make(program)).toSorted(([a], [b]) => a - b),
          expected
        )
      }),
      runs
    ))
})

describe("cases", () => {
  const spec = { shape: [3], dtype: "float32" } as const
  const [x, y] = [Expr.input(0, spec), Expr.input(1, spec)]
  const plan = (...outputs: ReadonlyArray<Expr.Expr>): Plan.Plan => Plan.make(Program.make([spec, spec], outputs))

  it("inputs and outputs are never released, even when they are used on the way", () => {
    const sum = Expr.add(x, y)
    assert.deepStrictEqual(releasesOf(plan(sum, Expr.exp(sum), x)), [])
  })

  it("a value that is read twice by one node is released once", () => {
    assert.deepStrictEqual(releasesOf(plan(Expr.square(Expr.exp(x)))), [[1, 2]])
  })

  it("a value that is read again later is held until then", () => {
    const [e, l] = [Expr.exp(x), Expr.log(x)]
    // %0 x, %1 e, %2 e², %3 log x, %4 e²·log x, %5 + e
    assert.deepStrictEqual(releasesOf(plan(Expr.add(Expr.mul(Expr.square(e), l), e))), [
      [2, 4],
      [3, 4],
      [1, 5],
      [4, 5]
    ])
  })

  it("a plan holds the program that it executes", () => {
    const program = Program.make([spec], [Expr.exp(x)])
    assert.strictEqual(Plan.make(program).program, program)
    assert.deepStrictEqual(Plan.make(program).steps, [{ _tag: "Library", node: 1 }])
    assert.deepStrictEqual(Plan.make(program).releases, [[], []])
  })

  it("a program of nothing is a plan of nothing", () => {
    assert.deepStrictEqual(Plan.make(Program.make([spec], [])).steps, [])
  })
})
