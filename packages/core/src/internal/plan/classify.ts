/**
 * What each node of a program is to a fuser, and at which level it stands.
 *
 * - *computed*: element by element on float32, grows into kernels
 * - *mask*: a condition; never stored by a kernel, every kernel that needs it computes it again
 * - *constant*: one scalar everywhere
 * - *view*: other indices of the same numbers; no kernel of its own
 * - *reduce*: float32 reductions, results of the kernel that makes their argument
 * - *library*: all the rest, done by tfjs
 *
 * A kernel cannot read what it has not finished writing. So a node that reads a reduction, a library result or another
 * view of a computed value stands one level above it, and a kernel holds nodes of one level only.
 */
import type { Op } from "../../Expr.ts"
import type { Node, Program } from "../../Program.ts"
import type { BodyOp } from "./kernel.ts"

/** The part a node plays. */
export type Role = "input" | "computed" | "mask" | "constant" | "view" | "reduce" | "library"

const bodyOps: { readonly [O in Op]?: BodyOp } = {
  neg: "neg",
  abs: "abs",
  sqrt: "sqrt",
  sign: "sign",
  floor: "floor",
  not: "not",
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "div",
  minimum: "minimum",
  maximum: "maximum",
  less: "less",
  lessEqual: "lessEqual",
  greater: "greater",
  greaterEqual: "greaterEqual",
  equal: "equal",
  notEqual: "notEqual",
  and: "and",
  or: "or",
  select: "select",
  cast: "unmask"
}

/** The operation in the body of a kernel, if kernels have it. */
export const bodyOp = ({ operation }: Node): BodyOp | undefined => bodyOps[operation.op]

/** The shape without axes of size 1: nodes that agree in it have the same elements in the same order. */
export const squeeze = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.filter((size) => size !== 1)

const sameSqueezed = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  squeeze(a).join() === squeeze(b).join()

/** The nodes among the arguments. */
export const argNodes = ({ args }: Node): ReadonlyArray<number> => {
  const ids: Array<number> = []
  for (const arg of args) if (arg._tag === "Node") ids.push(arg.id)
  return ids
}

const elementwiseRole = (node: Node, argRoles: ReadonlyArray<Role>, argTypes: ReadonlyArray<string>): Role => {
  if (bodyOp(node) === undefined) return "library"
  const masks = argRoles.every((role, index) => argTypes[index] === "float32" || role === "mask" || role === "view")
  const { op } = node.operation
  if (!masks || argTypes.includes("int32")) return "library"
  if (op === "cast") return argRoles[0] === "mask" && node.dtype === "float32" ? "computed" : "library"
  if (op === "and" || op === "or" || op === "not") return argRoles.every((role) => role === "mask") ? "mask" : "library"
  if (node.dtype === "bool") return op !== "select" && argTypes.every((type) => type === "float32") ? "mask" : "library"
  return node.dtype === "float32" ? "computed" : "library"
}

const roleOf = (program: Program, roles: ReadonlyArray<Role>, node: Node): Role => {
  const args = argNodes(node)
  const types = args.map((id) => program.nodes[id]?.dtype ?? "float32")
  const argRoles = args.map((id) => rootRole(program, roles, id))
  switch (node.operation.op) {
    case "input":
      return "input"
    case "fill":
      return node.dtype === "float32" ? "constant" : "library"
    case "sum":
    case "max":
    case "min":
      return node.dtype === "float32" ? "reduce" : "library"
    case "broadcast":
      return node.dtype === "int32" || (node.dtype === "bool" && argRoles[0] !== "mask") ? "library" : "view"
    case "reshape": {
      const from = program.nodes[args[0] ?? 0]?.shape ?? []
      return node.dtype === "float32" && sameSqueezed(from, node.shape) ? "view" : "library"
    }
    default:
      return elementwiseRole(node, argRoles, types)
  }
}

/** The role behind views: a broadcast mask is a mask. */
const rootRole = (program: Program, roles: ReadonlyArray<Role>, id: number): Role => {
  let at = id
  while (roles[at] === "view") at = argNodes(program.nodes[at] as Node)[0] ?? at
  return roles[at] ?? "library"
}

/** The role of every node. */
export const rolesOf = (program: Program): ReadonlyArray<Role> => {
  const roles: Array<Role> = []
  for (const node of program.nodes) roles.push(roleOf(program, roles, node))
  return roles
}
