/**
 * What losses are given, checked before anything is computed.
 *
 * Nothing is broadcast silently: a loss of logits [8, 1] and labels [8] would be a matrix. Values are looked at only
 * where they are at hand; waiting for a GPU in every step costs more than the check is worth.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import { InvalidArgument, InvalidHyperParameter, TensorMismatch } from "../../OptimError.ts"
import { checkAlive } from "../leaves.ts"
import type { Range } from "../optimizer/hyperParameters.ts"
import { isTensor } from "../tensorLike.ts"

/** Sizes; a word stands for any size, and a leading `"..."` for any number of axes. */
type Pattern = ReadonlyArray<number | string>

/** What an argument may be: a tensor of one of these dtypes, and of a shape that fits one of these patterns. */
export interface Form {
  readonly dtypes: ReadonlyArray<string>
  readonly shapes: ReadonlyArray<Pattern>
}

const form =
  (...dtypes: ReadonlyArray<string>) =>
  (...shapes: ReadonlyArray<Pattern>): Form => ({ dtypes, shapes })

/** A float32 tensor. */
export const floats = form("float32")

/** Numbers of any kind: they become float32. */
export const numbers = form("float32", "int32", "bool")

/** Class ids. */
export const integers = form("int32")

/** A mask. */
export const booleans = form("bool")

const fitsPattern = (shape: ReadonlyArray<number>, pattern: Pattern): boolean => {
  const open = pattern[0] === "..."
  const sizes = open ? pattern.slice(1) : pattern
  const tail = open ? shape.slice(Math.max(0, shape.length - sizes.length)) : shape
  return tail.length === sizes.length && sizes.every((size, axis) => typeof size === "string" || size === tail[axis])
}

const fits = (value: unknown, { dtypes, shapes }: Form): boolean =>
  isTensor(value) && dtypes.includes(value.dtype) && shapes.some((pattern) => fitsPattern(value.shape, pattern))

const listed = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const printShape = (shape: Pattern): string => `[${shape.join(", ")}]`

const printForm = ({ dtypes, shapes }: Form): string => `${listed(dtypes)} ${listed(shapes.map(printShape))}`

/** How an argument is named in messages. */
export const describe = (value: unknown): string => {
  if (isTensor(value)) return `${value.dtype} ${printShape(value.shape)}`
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value
}

/** The arguments of a loss by name, each with what it may be. */
type Arguments = { readonly [name: string]: readonly [value: unknown, form: Form] }

const remedy = "Nothing is broadcast or converted: use reshape, tile or cast of @tensorflow/tfjs-core."

/** Throws `TensorMismatch`, which names all arguments that do not fit, or `DisposedTensor`. */
export const check = (operation: string, args: Arguments): void => {
  const entries = Object.entries(args)
  const faults = entries.flatMap(([path, [value, form]]) =>
    fits(value, form) ? [] : [{ path, expected: printForm(form), found: describe(value) }]
  )
  if (faults.length > 0) throw new TensorMismatch({ operation, faults, remedy })
  checkAlive(
    operation,
    entries.map(([, [value]]) => value),
    (index) => entries[index]?.[0] ?? ""
  )
}

/** The shape of what should be a tensor, so that the other arguments can be compared with it. */
export const shapeOf = (value: unknown): ReadonlyArray<number> => (isTensor(value) ? value.shape : [])

/** A number, of any sign. */
export const finite: Range = { expected: "a finite number", allows: Number.isFinite }

/** A number above zero. */
export const positive: Range = {
  expected: "a finite number > 0",
  allows: (x) => typeof x === "number" && Number.isFinite(x) && x > 0
}

/** A weight, or none. */
export const finiteOrNull: Range = {
  expected: "a finite number or null",
  allows: (x) => x === null || Number.isFinite(x)
}

/** One of these words, or null among them. */
export const oneOf = (...words: ReadonlyArray<string | null>): Range => ({
  expected: listed(words.map((word) => JSON.stringify(word))),
  allows: (x) => words.some((word) => word === x)
})

const printOption = (value: unknown): string => (typeof value === "number" ? String(value) : JSON.stringify(value))

/** Throws `InvalidHyperParameter` at the first option that is out of its range. */
export const checkOptions = (
  operation: string,
  options: { readonly [name: string]: readonly [value: unknown, range: Range] }
): void => {
  for (const [parameter, [value, { allows, expected }]] of Object.entries(options)) {
    if (allows(value)) continue
    throw new InvalidHyperParameter({ optimizer: operation, parameter, value: printOption(value), expected })
  }
}

// Elsewhere a read-back stalls the device.
const atHand = new Set(["wasm", "cpu"])

/** Can the numbers of a tensor be looked at without waiting? */
export const isAtHand = (): boolean => atHand.has(tf.getBackend())

/** Where an element stands, as it is written in a program. */
const position = (shape: ReadonlyArray<number>, index: number): string => {
  const { at } = shape.reduceRight<{ readonly rest: number; readonly at: ReadonlyArray<number> }>(
    ({ at, rest }, size) => ({ rest: Math.floor(rest / size), at: [rest % size, ...at] }),
    { rest: index, at: [] }
  )
  return at.length === 0 ? "" : `[${at.join(", ")}]`
}

/** Throws `InvalidArgument` at the first element that is not as expected, where elements can be looked at. */
export const checkElements = (
  operation: string,
  argument: string,
  x: Tensor,
  expected: string,
  allows: (value: number) => boolean
): void => {
  if (!isAtHand()) return
  const data = x.dataSync()
  for (let index = 0; index < data.length; index++) {
    const value = data[index] ?? Number.NaN
    if (allows(value)) continue
    const where = `${argument}${position(x.shape, index)}`
    throw new InvalidArgument({ operation, argument: where, value: String(value), expected })
  }
}

/** Throws `InvalidArgument` unless all labels are class ids. */
export const checkClasses = (operation: string, labels: Tensor, classes: number): void =>
  checkElements(
    operation,
    "labels",
    labels,
    `a class from 0 to ${classes - 1}`,
    (label) => label >= 0 && label < classes
  )
