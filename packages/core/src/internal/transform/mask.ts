/**
 * Masks and labels: a value for each leaf, given as a tree of the parameters' structure, as a prefix of one, or as a
 * function that makes one.
 */
import { KeyPath, PyTree, StructureMismatch } from "@optim/pytree"
import type { Expr, TensorSpec } from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import { type Fault, InvalidMask } from "../../OptimError.ts"
import { pathOf } from "../leaves.ts"

/**
 * A value for each leaf: a tree of the parameters' structure with a value in the place of every leaf, or of a whole
 * subtree; or a function from the tree of the parameters' shapes (`TensorSpec` at its leaves) to such a tree.
 */
export type PerLeaf = unknown

/** Which leaves are meant: a tree of booleans, a prefix of one, or a function that gives one. */
export type Mask = PerLeaf

type Make = (shapes: unknown) => unknown

const isMake = (given: unknown): given is Make => typeof given === "function"

/** The prefix spread over the tree; a prefix that does not fit is called by its role. */
const broadcast = (operation: string, role: string, prefix: unknown, full: unknown): ReadonlyArray<unknown> => {
  try {
    return PyTree.leaves(PyTree.broadcast(prefix, full))
  } catch (error) {
    if (!(error instanceof StructureMismatch)) throw error
    const { expected, found, mismatches } = error
    const hint = `Pass a tree of the parameters' structure, or a prefix of it, with a value in the place of each leaf.`
    throw new StructureMismatch({
      operation,
      expected,
      found,
      mismatches,
      subject: "the parameters",
      reference: role,
      hint
    })
  }
}

/** The given values of these leaves, in their order. */
const valuesOf = (
  operation: string,
  role: string,
  given: PerLeaf,
  leaves: Leaves.Leaves<Expr>
): ReadonlyArray<unknown> => {
  // A function sees the leaves that are there; a tree speaks of all.
  if (isMake(given)) {
    const shapes = Leaves.toTree(leaves)
    return broadcast(operation, role, given(shapes), shapes)
  }
  const all = PyTree.unflatten(leaves.treeDef, new Array<number>(leaves.treeDef.leafCount).fill(0))
  const values = broadcast(operation, role, given, all)
  return leaves.at.map((position) => values[position])
}

const describe = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value))

const checkedValues = <A>(
  operation: string,
  role: string,
  expected: string,
  isValue: (value: unknown) => value is A,
  given: PerLeaf,
  leaves: Leaves.Leaves<Expr>
): Leaves.Leaves<A> => {
  const values = valuesOf(operation, role, given, leaves)
  const faults = values.flatMap((value, index): ReadonlyArray<Fault> =>
    isValue(value) ? [] : [{ path: pathOf(leaves.treeDef, leaves.at[index] ?? 0), expected, found: describe(value) }]
  )
  if (faults.length > 0) throw new InvalidMask({ operation, role, faults })
  return new Leaves.Leaves(leaves, values.filter(isValue))
}

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean"

const isString = (value: unknown): value is string => typeof value === "string"

/** Which of these leaves a mask means. Throws `StructureMismatch` or `InvalidMask`. */
export const maskOf = (operation: string, mask: Mask, leaves: Leaves.Leaves<Expr>): Leaves.Leaves<boolean> =>
  checkedValues(operation, "the mask", "true or false", isBoolean, mask, leaves)

/** The labels of these leaves. Throws `StructureMismatch` or `InvalidMask`. */
export const labelsOf = (operation: string, labels: PerLeaf, leaves: Leaves.Leaves<Expr>): Leaves.Leaves<string> =>
  checkedValues(operation, "the labels", "a label", isString, labels, leaves)

/**
 * The mask of the leaves for which a condition on shape and key path holds.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * // Weights decay, biases do not.
 * const mask = Transform.leavesWhere((_, path) => !path.endsWith("bias"))
 * const decay = Transform.addDecayedWeights({ weightDecay: 0.5, mask })
 * const params = { weight: 2, bias: 2 }
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(decay, params)
 *   const { updates } = yield* Transform.update(decay, { weight: 0, bias: 0 }, state, { params })
 *   return [updates.weight.dataSync()[0], updates.bias.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 0])
 * ```
 */
export const leavesWhere =
  (condition: (spec: TensorSpec, path: string) => boolean): Mask =>
  (shapes: unknown): unknown =>
    // What stands at the leaves are the parameters' shapes.
    PyTree.mapWithPath(shapes, (path, leaf: unknown) =>
      condition(leaf as TensorSpec, KeyPath.keystr(path, { simple: true, separator: "." }))
    )
