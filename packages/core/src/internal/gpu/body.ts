/**
 * The body of a kernel as text, for languages of shaders.
 *
 * GLSL and WGSL write the same operations in different words; what differs is one table per language. Every value has a
 * name of its own (`v0`, `v1`, …), inputs are `i0`, `i1`, …, scalars `s0`, `s1`, ….
 */
import type { BodyNode, BodyOp, Operand } from "../plan/kernel.ts"

/** How a language writes operations and the types of values. */
export interface Dialect {
  readonly number: string
  readonly mask: string
  readonly forms: { readonly [O in BodyOp]: (...operands: ReadonlyArray<string>) => string }
  /** `const` or `let`, with the type where the language wants it. */
  readonly declare: (type: string, name: string, value: string) => string
}

const prefixes = { Input: "i", Scalar: "s", Value: "v" } as const

/** The name of an operand. */
export const nameOf = ({ _tag, index }: Operand): string => `${prefixes[_tag]}${index}`

/** One line for each node. */
export const printBody = (body: ReadonlyArray<BodyNode>, { declare, forms, mask, number }: Dialect): string =>
  body
    .map((node, index) => declare(node.mask ? mask : number, `v${index}`, forms[node.op](...node.args.map(nameOf))))
    .join("\n")

/** An operation between its operands. */
export const infix =
  (operator: string) =>
  (...[a, b]: ReadonlyArray<string>): string =>
    `${a} ${operator} ${b}`

/** A function of its operands. */
export const call =
  (name: string) =>
  (...operands: ReadonlyArray<string>): string =>
    `${name}(${operands.join(", ")})`
