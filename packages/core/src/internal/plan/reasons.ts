/**
 * Why an operation is not part of a kernel: for whoever reads a plan.
 */
import type { Op } from "../../Expr.ts"
import type { Node, Program } from "../../Program.ts"
import { argNodes, type Role } from "./classify.ts"

const noInstruction = "no vector instruction computes it"
const moves = "it moves elements to other places"

/** What stands against a kernel whatever the arguments. */
const always: { readonly [O in Op]?: string } = {
  exp: noInstruction,
  log: noInstruction,
  tanh: noInstruction,
  pow: noInstruction,
  transpose: moves,
  concat: moves,
  slice: moves,
  matMul: "it is a product of matrices",
  normal: "random numbers are drawn by tfjs"
}

const hasInteger = ({ nodes }: Program, node: Node): boolean =>
  [node, ...argNodes(node).map((id) => nodes[id])].some((each) => each?.dtype === "int32")

/** Why tfjs computes a node. */
export const reasonFor = (program: Program, roles: ReadonlyArray<Role>, id: number): string => {
  const node = program.nodes[id]
  const found = node === undefined ? undefined : always[node.operation.op]
  if (node === undefined || found !== undefined) return found ?? ""
  if (roles[id] === "view" || roles[id] === "mask") return "it is an output, or read by tfjs, and so must be a tensor"
  if (hasInteger(program, node)) return "kernels compute with float32, not with int32"
  return node.operation.op === "reshape"
    ? "kernels look only through axes of size 1"
    : "kernels have conditions, but no tensors of bool"
}
