/**
 * One fused step under construction.
 *
 * A builder is asked for the operands that a kernel needs and follows each through views and masks to a tensor, a
 * scalar, or a value of the kernel's own body.
 */
import type { Node, Program } from "../../Program.ts"
import { argNodes, bodyOp, type Role, rolesOf } from "./classify.ts"
import { collapse } from "./collapse.ts"
import { type BodyNode, type Kernel, keyOf, type Operand, type Result } from "./kernel.ts"
import { clustersOf, levelsOf } from "./levels.ts"

/** A tensor that a kernel reads or writes, and how far it moves with each loop, in elements. */
export interface Buffer {
  readonly node: number
  readonly strides: ReadonlyArray<number>
}

/** A kernel applied to tensors. */
export interface FusedStep {
  readonly _tag: "Fused"
  readonly kernel: Kernel
  readonly key: string
  readonly extents: ReadonlyArray<number>
  readonly inputs: ReadonlyArray<Buffer>
  readonly scalars: ReadonlyArray<number>
  readonly results: ReadonlyArray<Buffer>
}

/** For each axis of the elements that a kernel walks over, the axis of a node that moves with it, or −1. */
type Axes = ReadonlyArray<number>

const unitless = (shape: ReadonlyArray<number>): Axes => shape.flatMap((size, axis) => (size === 1 ? [] : [axis]))

/** The axes of a view's argument, given the axes of the view. */
const through = (view: Node, argument: Node, axes: Axes): Axes => {
  if (view.operation.op === "reshape") {
    const [from, to] = [unitless(view.shape), unitless(argument.shape)]
    return axes.map((axis) => (axis < 0 ? -1 : (to[from.indexOf(axis)] ?? -1)))
  }
  const missing = view.shape.length - argument.shape.length
  return axes.map((axis) => (axis < missing || argument.shape[axis - missing] === 1 ? -1 : axis - missing))
}

const contiguous = (shape: ReadonlyArray<number>): ReadonlyArray<number> => {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] ?? 1
  }
  return strides
}

const stridesOf = (shape: ReadonlyArray<number>, axes: Axes): ReadonlyArray<number> => {
  const strides = contiguous(shape)
  return axes.map((axis) => (axis < 0 ? 0 : (strides[axis] ?? 0)))
}

/** All that is known of a program when its clusters are built. */
export class Fuser {
  readonly program: Program
  readonly roles: ReadonlyArray<Role>
  readonly levels: ReadonlyArray<number>
  readonly clusterOf: (id: number) => number
  readonly outputs: ReadonlySet<number>
  /** Nodes that must exist as tensors. */
  readonly needed = new Set<number>()
  /** Nodes that every kernel computes that needs them, as masks. */
  readonly recomputed = new Set<number>()

  constructor(program: Program) {
    this.program = program
    this.roles = rolesOf(program)
    this.levels = levelsOf(program, this.roles)
    this.clusterOf = clustersOf(program, this.roles, this.levels)
    this.outputs = new Set(program.outputs)
  }

  node(id: number): Node {
    const node = this.program.nodes[id]
    if (node === undefined) throw new Error(`a verified program has a node ${id}`)
    return node
  }
}

/** One kernel under construction. */
export class Builder {
  readonly #fuser: Fuser
  readonly #members: ReadonlySet<number>
  readonly #shape: ReadonlyArray<number>
  readonly #inputs: Array<Buffer> = []
  readonly #inputAt = new Map<string, number>()
  readonly #scalars = new Map<number, number>()
  readonly #body: Array<BodyNode> = []
  readonly #values = new Map<string, Operand>()

  constructor(fuser: Fuser, members: ReadonlyArray<number>, shape: ReadonlyArray<number>) {
    this.#fuser = fuser
    this.#members = new Set(members)
    this.#shape = shape
  }

  #scalar(id: number): Operand {
    const index = this.#scalars.get(id) ?? this.#scalars.size
    this.#scalars.set(id, index)
    return { _tag: "Scalar", index }
  }

  #input(id: number, axes: Axes): Operand {
    const strides = stridesOf(this.#fuser.node(id).shape, axes)
    const key = `${id}:${strides.join()}`
    const index = this.#inputAt.get(key) ?? this.#inputs.push({ node: id, strides }) - 1
    this.#inputAt.set(key, index)
    return { _tag: "Input", index }
  }

  #compute(id: number, axes: Axes): Operand {
    const node = this.#fuser.node(id)
    const args = node.args.map((arg) => (arg._tag === "Scalar" ? this.#scalar(arg.id) : this.operand(arg.id, axes)))
    const op = bodyOp(node)
    if (op === undefined) throw new Error(`kernels do not have ${node.operation.op}`)
    return { _tag: "Value", index: this.#body.push({ op, args, mask: node.dtype === "bool" }) - 1 }
  }

  /** The operand that a node is, at these axes; goes as deep as views and masks stand on each other. */
  operand(id: number, axes: Axes): Operand {
    const key = `${id}:${axes.join()}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const operand = this.#make(id, axes)
    this.#values.set(key, operand)
    return operand
  }

  #make(id: number, axes: Axes): Operand {
    const { recomputed, roles } = this.#fuser
    const node = this.#fuser.node(id)
    if (roles[id] === "constant") return this.#scalar(node.args[0]?.id ?? 0)
    if (roles[id] === "view") {
      const [argument = 0] = argNodes(node)
      return this.operand(argument, through(node, this.#fuser.node(argument), axes))
    }
    const isOwn = roles[id] === "mask" || this.#members.has(id) || recomputed.has(id)
    return isOwn ? this.#compute(id, axes) : this.#input(id, axes)
  }

  /** The step that gives these members and reductions. */
  finish(stored: ReadonlyArray<number>, reduced: ReadonlyArray<number>): FusedStep {
    const home = this.#shape.map((_, axis) => axis)
    const at = (id: number) => {
      const own = unitless(this.#fuser.node(id).shape)
      return home.map((axis) => own[axis] ?? -1)
    }
    // In the order of their dependence, so that none has to wait for a chain of others.
    for (const id of this.#members) if (!this.#fuser.recomputed.has(id)) this.operand(id, at(id))
    const stores = stored.map((id) => ({
      node: id,
      value: this.operand(id, at(id)),
      reduce: undefined,
      strides: contiguous(this.#shape)
    }))
    const reductions = reduced.map((id) => this.#reduction(id, at))
    const results = [...stores, ...reductions]
    const buffers = [...this.#inputs, ...results]
    const { extents, strides } = collapse(
      this.#shape,
      buffers.map((buffer) => buffer.strides)
    )
    const walks = strides.map((each) => each.map((stride) => stride !== 0))
    const kernel: Kernel = {
      loops: extents.length,
      inputs: walks.slice(0, this.#inputs.length),
      scalars: this.#scalars.size,
      body: this.#body,
      results: results.map(({ reduce, value }, index): Result => ({
        value,
        reduce,
        walk: walks[this.#inputs.length + index] ?? []
      }))
    }
    const moved = buffers.map(({ node }, index) => ({ node, strides: strides[index] ?? [] }))
    return {
      _tag: "Fused",
      kernel,
      key: keyOf(kernel),
      extents,
      inputs: moved.slice(0, this.#inputs.length),
      scalars: [...this.#scalars.keys()],
      results: moved.slice(this.#inputs.length)
    }
  }

  #reduction(id: number, at: (id: number) => Axes) {
    const node = this.#fuser.node(id)
    const { operation } = node
    if (operation.op !== "sum" && operation.op !== "max" && operation.op !== "min")
      throw new Error(`${operation.op} is no reduction`)
    const [argument = 0] = argNodes(node)
    const axes = at(argument)
    const kept = this.#fuser.node(argument).shape.flatMap((_, axis) => (operation.axes.includes(axis) ? [] : [axis]))
    const own = contiguous(node.shape)
    const strides = axes.map((axis) => (kept.includes(axis) ? (own[kept.indexOf(axis)] ?? 0) : 0))
    return { node: id, value: this.operand(argument, axes), reduce: operation.op, strides }
  }
}
