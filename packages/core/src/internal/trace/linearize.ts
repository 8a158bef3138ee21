/**
 * From the graph of expressions to the list of a program.
 *
 * A depth-first walk with equal nodes merged, and rewritten ones left out: nodes are equal when operation, arguments, shape
 * and dtype are.
 */
import { Expr, type Operation, type TensorSpec } from "../../Expr.ts"
import type { Argument, Node, Program } from "../../Program.ts"
import type { Scalar } from "../../Scalar.ts"
import { postOrder, scalarsOf } from "./postOrder.ts"
import { simplify } from "./rewrites.ts"
import { ScalarTable } from "./scalarTable.ts"

/** A list without repetitions: the same key gives the same index. */
class Interned<A> {
  readonly items: Array<A> = []
  readonly #ids = new Map<string, number>()

  add(key: string, make: () => A): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.items.push(make()) - 1
    this.#ids.set(key, id)
    return id
  }
}

/** The operation with its attributes, which most have none of. */
const operationKey = (operation: Operation): string =>
  "axes" in operation || "index" in operation || "permutation" in operation || "start" in operation
    ? JSON.stringify(operation)
    : operation.op

/** What must be in the program before an expression is: its arguments, or what it is besides. */
const exprsOf = (expr: Expr): ReadonlyArray<Expr> => {
  const simple = simplify(expr)
  return simple === expr ? expr.args.filter((arg) => arg instanceof Expr) : [simple]
}

class Linearizer {
  readonly nodes = new Interned<Node>()
  readonly scalars = new ScalarTable()
  readonly #nodeOf = new Map<Expr, number>()
  readonly #scalarOf = new Map<Scalar, number>()

  #defineScalar({ definition }: Scalar): number {
    if (definition._tag !== "Apply") return this.scalars.add(definition)
    const args = definition.args.map((arg) => this.#scalarOf.get(arg) ?? -1)
    return this.scalars.add({ ...definition, args })
  }

  scalar(root: Scalar): number {
    const isDone = (scalar: Scalar): boolean => this.#scalarOf.has(scalar)
    postOrder(root, scalarsOf, isDone, (scalar) => this.#scalarOf.set(scalar, this.#defineScalar(scalar)))
    return this.#scalarOf.get(root) ?? -1
  }

  #argument(arg: Expr | Scalar): Argument {
    return arg instanceof Expr
      ? { _tag: "Node", id: this.#nodeOf.get(arg) ?? -1 }
      : { _tag: "Scalar", id: this.scalar(arg) }
  }

  #define(expr: Expr): number {
    const known = this.#nodeOf.get(simplify(expr))
    if (known !== undefined) return known
    const { args, dtype, operation, shape } = expr
    const resolved = args.map((arg) => this.#argument(arg))
    let key = `${operationKey(operation)} ${dtype} ${shape.join()}`
    for (const { _tag, id } of resolved) key += `${_tag}${id}`
    return this.nodes.add(key, () => ({ operation, args: resolved, shape, dtype }))
  }

  node(root: Expr): number {
    const isDone = (expr: Expr): boolean => this.#nodeOf.has(expr)
    postOrder(root, exprsOf, isDone, (expr) => this.#nodeOf.set(expr, this.#define(expr)))
    return this.#nodeOf.get(root) ?? -1
  }
}

/** The program of the outputs, and of the scalars that the host wants to know, over the inputs. */
export const linearize = (
  inputs: ReadonlyArray<TensorSpec>,
  outputs: ReadonlyArray<Expr>,
  results: ReadonlyArray<Scalar>
): Program => {
  const linearizer = new Linearizer()
  const outputIds = outputs.map((output) => linearizer.node(output))
  const resultIds = results.map((result) => linearizer.scalar(result))
  const { nodes, scalars } = linearizer
  return { inputs, nodes: nodes.items, scalars: scalars.items, outputs: outputIds, results: resultIds }
}
