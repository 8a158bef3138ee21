/**
 * Programs: a whole update as a list of operations in the order of their dependence.
 *
 * Tracing turns the graph of expressions into this list: equal operations on equal arguments stand once, what no output
 * needs is left out, and all scalars are gathered beside it. A program is plain data; how it is executed is decided by a
 * `Plan` and the `Tensors` layer.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Program, Scalar } from "@optim/core"
 *
 * const spec = { shape: [3], dtype: "float32" } as const
 * const [x, g] = [Expr.input(0, spec), Expr.input(1, spec)]
 * const program = Program.make([spec, spec], [Expr.sub(x, Expr.mul(Scalar.input("rate", 0), g))])
 * assert.strictEqual(
 *   Program.print(program),
 *   [
 *     "s0 = rate",
 *     "%0: float32 [3] = input(index=0)",
 *     "%1: float32 [3] = input(index=1)",
 *     "%2: float32 [3] = mul(s0, %1)",
 *     "%3: float32 [3] = sub(%0, %2)",
 *     "return %3"
 *   ].join("\n")
 * )
 * assert.deepStrictEqual([...Program.evaluateScalars(program, [0.1])], [0.1])
 * ```
 */
import type { Expr, Operation, TensorSpec } from "./Expr.ts"
import { evaluatorOf } from "./internal/trace/evaluator.ts"
import { linearize } from "./internal/trace/linearize.ts"
import { printSpec } from "./internal/trace/shape.ts"
import type { Compute, Scalar } from "./Scalar.ts"

/** An argument of a node: the result of an earlier node, or a scalar. */
export type Argument = { readonly _tag: "Node"; readonly id: number } | { readonly _tag: "Scalar"; readonly id: number }

/** One operation; its place in the list is its id. */
export interface Node extends TensorSpec {
  readonly operation: Operation
  readonly args: ReadonlyArray<Argument>
}

/** One number of the host, computed from earlier ones. */
export type ScalarNode =
  | { readonly _tag: "Constant"; readonly value: number }
  | { readonly _tag: "Input"; readonly name: string; readonly index: number }
  | { readonly _tag: "Apply"; readonly name: string; readonly compute: Compute; readonly args: ReadonlyArray<number> }

/** A traced computation from input tensors and inputs of the host to output tensors. */
export interface Program {
  readonly inputs: ReadonlyArray<TensorSpec>
  readonly scalars: ReadonlyArray<ScalarNode>
  readonly nodes: ReadonlyArray<Node>
  readonly outputs: ReadonlyArray<number>
  /** Scalars that the host keeps: counters, rates. */
  readonly results: ReadonlyArray<number>
}

/**
 * The program that computes `outputs`; `inputs` are the specs of the input tensors by position. `results` are numbers
 * that the host wants to know besides.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Expr, Program } from "@optim/core"
 *
 * const spec = { shape: [3], dtype: "float32" } as const
 * const x = Expr.input(0, spec)
 * const program = Program.make([spec], [Expr.add(Expr.square(x), Expr.square(x))])
 * assert.strictEqual(program.nodes.length, 3) // x, x·x once, and the sum
 * ```
 */
export const make = (
  inputs: ReadonlyArray<TensorSpec>,
  outputs: ReadonlyArray<Expr>,
  results: ReadonlyArray<Scalar> = []
): Program => linearize(inputs, outputs, results)

/** The numbers of all scalars for given inputs of the host, in float64, each computed once. */
export const evaluateScalars = (self: Program, host: ReadonlyArray<number>): Float64Array =>
  evaluatorOf(self)(host).slice()

const printScalar = (scalar: ScalarNode): string => {
  switch (scalar._tag) {
    case "Constant":
      return String(scalar.value)
    case "Input":
      return scalar.name
    case "Apply":
      return `${scalar.name}(${scalar.args.map((id) => `s${id}`).join(", ")})`
  }
}

const printNode = ({ args, operation, ...spec }: Node): string => {
  const { op, ...attributes } = operation
  const extra = Object.entries(attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const operands = args.map((arg) => (arg._tag === "Node" ? `%${arg.id}` : `s${arg.id}`))
  return `${printSpec(spec)} = ${op}(${[...operands, ...extra].join(", ")})`
}

/** The program as text: scalars, nodes, outputs; for reading and for tests. */
export const print = (self: Program): string =>
  [
    ...self.scalars.map((scalar, id) => `s${id} = ${printScalar(scalar)}`),
    ...self.nodes.map((node, id) => `%${id}: ${printNode(node)}`),
    `return ${[...self.outputs.map((id) => `%${id}`), ...self.results.map((id) => `s${id}`)].join(", ")}`
  ].join("\n")

const scalarFaults = (scalar: ScalarNode, id: number): ReadonlyArray<string> =>
  scalar._tag === "Apply"
    ? scalar.args
        .filter((arg) => arg < 0 || arg >= id)
        .map((arg) => `s${id} uses s${arg}, which does not come before it`)
    : []

const inputFaults = (self: Program, { operation, ...spec }: Node, id: number): ReadonlyArray<string> => {
  if (operation.op !== "input") return []
  const expected = self.inputs[operation.index]
  if (expected === undefined) return [`%${id} reads input ${operation.index} of ${self.inputs.length}`]
  return printSpec(expected) === printSpec(spec)
    ? []
    : [`%${id} reads input ${operation.index} as ${printSpec(spec)}, which is ${printSpec(expected)}`]
}

const nodeFaults = (self: Program, node: Node, id: number): ReadonlyArray<string> => [
  ...node.args
    .filter((arg) => arg.id < 0 || arg.id >= (arg._tag === "Node" ? id : self.scalars.length))
    .map((arg) => `%${id} uses ${arg._tag === "Node" ? "%" : "s"}${arg.id}, which does not come before it`),
  ...inputFaults(self, node, id)
]

/**
 * What is wrong with a program, one line per fault; empty for every program that `make` returns for expressions over
 * its own inputs.
 */
export const verify = (self: Program): ReadonlyArray<string> => [
  ...self.scalars.flatMap(scalarFaults),
  ...self.nodes.flatMap((node, id) => nodeFaults(self, node, id)),
  ...self.outputs.filter((id) => self.nodes[id] === undefined).map((id) => `output %${id} is not a node`),
  ...self.results.filter((id) => self.scalars[id] === undefined).map((id) => `result s${id} is not a scalar`)
]
