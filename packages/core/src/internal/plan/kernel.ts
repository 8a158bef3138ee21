/**
 * Kernels: what a fused cluster computes, without saying on which tensors.
 *
 * A kernel walks over the elements of one shape in nested loops. Each operand is a buffer that is read along strides, a
 * scalar of the host, or the value of an earlier node of the body; each result is stored, or reduced over some of the
 * loops. Two clusters with the same kernel share one compiled module, whatever the sizes.
 */
import type { BinaryOp, CompareOp, ReduceOp, UnaryOp } from "../../Expr.ts"

/** Operations of the body: element by element, on float32 and on masks; those that SIMD has, exact to the last bit. */
export type BodyOp =
  | Exclude<UnaryOp, "exp" | "log" | "tanh">
  | Exclude<BinaryOp, "pow">
  | CompareOp
  | "select"
  | "unmask"

/** An operand of a body node. */
export type Operand =
  | { readonly _tag: "Input"; readonly index: number }
  | { readonly _tag: "Scalar"; readonly index: number }
  | { readonly _tag: "Value"; readonly index: number }

/** One operation of the body; its place in the list is its index. */
export interface BodyNode {
  readonly op: BodyOp
  readonly args: ReadonlyArray<Operand>
  /** Is the value a mask (all bits of a lane set or none) rather than a float32? */
  readonly mask: boolean
}

/** How a buffer is walked by the loops, outermost first: does it move with the loop? */
export type Walk = ReadonlyArray<boolean>

/** A result: stored as it is, or reduced over the loops in which its buffer stays in place. */
export interface Result {
  readonly value: Operand
  readonly reduce: ReduceOp | undefined
  readonly walk: Walk
}

/** A fused computation. */
export interface Kernel {
  readonly loops: number
  readonly inputs: ReadonlyArray<Walk>
  readonly scalars: number
  readonly body: ReadonlyArray<BodyNode>
  readonly results: ReadonlyArray<Result>
}

const operandKey = ({ _tag, index }: Operand): string => `${_tag[0]}${index}`

const walkKey = (walk: Walk): string => walk.map((moves) => (moves ? "1" : "0")).join("")

/** Equal kernels have equal keys. */
export const keyOf = ({ body, inputs, loops, results, scalars }: Kernel): string =>
  [
    `${loops}/${scalars}`,
    inputs.map(walkKey).join(","),
    body.map(({ args, op }) => `${op}(${args.map(operandKey).join()})`).join(";"),
    results.map(({ reduce, value, walk }) => `${reduce ?? "store"} ${operandKey(value)} ${walkKey(walk)}`).join(";")
  ].join("|")
