/**
 * The interpreter: a plan executed node by node with tfjs ops.
 *
 * It runs synchronously, so nothing can come between two nodes of a step, and it owns what it makes: a value is
 * disposed after its last use, and all of them when something fails.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { DType, TensorSpec } from "../../Expr.ts"
import type { Plan } from "../../Plan.ts"
import type { Argument, Node, Program } from "../../Program.ts"
import { sizeOf } from "../trace/shape.ts"
import { OutOfMemoryDefect } from "./allocation.ts"
import { share } from "./share.ts"
import { operations } from "./operations.ts"

/** A number of the host in a dtype: 0 or 1 for bool, cut and wrapped around for int32; tfjs rounds once for float32. */
const onDevice = (value: number, dtype: DType): number => {
  if (dtype === "bool") return Number(value !== 0)
  return dtype === "int32" ? value | 0 : value
}

/** JavaScript throws a RangeError for an array that it cannot allocate. */
const checkedSize = <A>({ shape }: TensorSpec, compute: () => A): A => {
  try {
    return compute()
  } catch (error) {
    throw error instanceof RangeError ? new OutOfMemoryDefect(4 * sizeOf(shape)) : error
  }
}

const nodeOf = ({ nodes }: Program, id: number): Node => {
  const node = nodes[id]
  if (node === undefined) throw new Error(`a verified program has a node ${id}`)
  return node
}

/** The dtype in which a scalar meets the tensors of a node: a comparison gives bool, whatever it compares. */
const scalarDType = (program: Program, { args, dtype }: Node): DType => {
  const compared = dtype === "bool" ? args.find((arg) => arg._tag === "Node") : undefined
  return compared === undefined ? dtype : nodeOf(program, compared.id).dtype
}

/** The value of one node, given those of the nodes before it. */
export const computeNode = (
  program: Program,
  id: number,
  scalars: Float64Array,
  valueOf: (id: number) => Tensor
): Tensor => {
  const node = nodeOf(program, id)
  return checkedSize(node, () => compute(program, node, scalars, valueOf))
}

const compute = (program: Program, node: Node, scalars: Float64Array, valueOf: (id: number) => Tensor): Tensor => {
  const dtype = scalarDType(program, node)
  const filled = (scalar: number, shape: Array<number>): Tensor =>
    tf.fill(shape, onDevice(scalars[scalar] ?? Number.NaN, dtype), dtype)
  const [first] = node.args
  if (node.operation.op === "fill") return filled(first?.id ?? 0, [...node.shape])
  if (node.operation.op === "normal")
    return tf.randomNormal([...node.shape], 0, 1, "float32", scalars[first?.id ?? 0] ?? Number.NaN)
  const args = node.args.map((arg: Argument) => (arg._tag === "Node" ? valueOf(arg.id) : filled(arg.id, [])))
  // The row belongs to the operation of this very node: TypeScript cannot follow the correlation.
  const row = operations[node.operation.op] as (args: ReadonlyArray<Tensor>, node: Node) => Tensor
  return row(args, node)
}

class Run {
  readonly #program: Program
  readonly #inputs: ReadonlyArray<Tensor>
  readonly #scalars: Float64Array
  readonly #values: Array<Tensor | undefined>

  constructor(program: Program, inputs: ReadonlyArray<Tensor>, scalars: Float64Array) {
    this.#program = program
    this.#inputs = inputs
    this.#scalars = scalars
    this.#values = new Array<Tensor | undefined>(program.nodes.length)
  }

  #value(id: number): Tensor {
    const { operation } = nodeOf(this.#program, id)
    const value = operation.op === "input" ? this.#inputs[operation.index] : this.#values[id]
    if (value === undefined) throw new Error(`a verified plan computes node ${id} before it is read`)
    return value
  }

  /** Computes a node; whatever it needs in between is disposed. */
  step(id: number): void {
    if (nodeOf(this.#program, id).operation.op === "input") return
    this.#values[id] = tf.keep(tf.tidy(() => computeNode(this.#program, id, this.#scalars, (arg) => this.#value(arg))))
  }

  release(ids: Iterable<number>): void {
    for (const id of ids) {
      this.#values[id]?.dispose()
      this.#values[id] = undefined
    }
  }

  /** Every output under a handle of its own: one value may be several outputs, or an input. */
  outputs(): ReadonlyArray<Tensor> {
    const taken = new Set<Tensor>()
    const handle = (id: number): Tensor => {
      const value = this.#value(id)
      const owned = nodeOf(this.#program, id).operation.op !== "input" && !taken.has(value)
      taken.add(value)
      return owned ? value : share(value)
    }
    return tf.tidy(() => this.#program.outputs.map(handle)).map((output) => tf.keep(output))
  }
}

/** Executes a plan; the caller owns the outputs. */
export const interpret = (
  { program, releases }: Plan,
  inputs: ReadonlyArray<Tensor>,
  scalars: Float64Array
): ReadonlyArray<Tensor> => {
  const run = new Run(program, inputs, scalars)
  try {
    releases.forEach((release, node) => {
      run.step(node)
      run.release(release)
    })
    return run.outputs()
  } catch (error) {
    run.release(program.nodes.keys())
    throw error
  }
}
