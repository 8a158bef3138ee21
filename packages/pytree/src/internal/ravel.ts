/**
 * Trees of numbers as one vector, and back.
 */
import { UnsupportedLeaf, VectorLengthMismatch } from "../TreeError.ts"
import { type Def, recordsOf } from "./structure/def.ts"
import { put } from "./walk/put.ts"
import { take } from "./walk/take.ts"

const operation = "PyTree.ravel"

/** A typed array of numbers, seen as the constructor's business. */
type Numbers = { [index: number]: number; readonly length: number }

interface ArrayKind {
  readonly make: (length: number) => Numbers
  /** does float32 hold every value exactly? */
  readonly single: boolean
}

const kinds: ReadonlyMap<string, ArrayKind> = new Map([
  ["Float32Array", { make: (length: number) => new Float32Array(length), single: true }],
  ["Float64Array", { make: (length: number) => new Float64Array(length), single: false }],
  ["Int8Array", { make: (length: number) => new Int8Array(length), single: true }],
  ["Uint8Array", { make: (length: number) => new Uint8Array(length), single: true }],
  ["Uint8ClampedArray", { make: (length: number) => new Uint8ClampedArray(length), single: true }],
  ["Int16Array", { make: (length: number) => new Int16Array(length), single: true }],
  ["Uint16Array", { make: (length: number) => new Uint16Array(length), single: true }],
  ["Int32Array", { make: (length: number) => new Int32Array(length), single: false }],
  ["Uint32Array", { make: (length: number) => new Uint32Array(length), single: false }]
])

/** A leaf as a run of numbers; a `number` has no kind. */
interface Run {
  readonly values: Numbers
  readonly kind: ArrayKind | undefined
}

const runOf = (leaf: unknown): Run | undefined => {
  if (typeof leaf === "number") return { values: [leaf], kind: undefined }
  if (!ArrayBuffer.isView(leaf)) return undefined
  // the tag of a typed array names its element type, also in subclasses
  const kind = kinds.get((leaf as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "")
  // a view with such a tag holds numbers
  return kind === undefined ? undefined : { values: leaf as unknown as Numbers, kind }
}

const describe = (leaf: unknown): string =>
  typeof leaf === "object" && leaf !== null ? leaf.constructor.name : typeof leaf

const runsOf = (leaves: ReadonlyArray<unknown>, def: Def): ReadonlyArray<Run> => {
  const runs = leaves.map(runOf)
  const refused = leaves.flatMap((leaf, index) =>
    runs[index] === undefined
      ? [{ path: def.paths[index]!, expected: "a number or a typed array", found: describe(leaf) }]
      : []
  )
  if (refused.length === 0) return runs.filter((run) => run !== undefined)
  throw new UnsupportedLeaf({
    operation,
    leaves: refused,
    hint: "Take these leaves out, or map them to numbers first."
  })
}

const fill = (target: Numbers, source: ArrayLike<number>, from: number, to: number, length: number): void => {
  for (let i = 0; i < length; i++) target[to + i] = source[from + i]!
}

const join = (runs: ReadonlyArray<Run>): Float32Array | Float64Array => {
  const length = runs.reduce((sum, { values }) => sum + values.length, 0)
  const single = runs.every(({ kind }) => kind?.single === true)
  const vector = single ? new Float32Array(length) : new Float64Array(length)
  let start = 0
  for (const { values } of runs) {
    fill(vector, values, 0, start, values.length)
    start += values.length
  }
  return vector
}

const cut = (runs: ReadonlyArray<Run>, vector: ArrayLike<number>): ReadonlyArray<unknown> => {
  let start = 0
  return runs.map(({ kind, values: { length } }) => {
    const from = start
    start += length
    if (kind === undefined) return vector[from]
    const leaf = kind.make(length)
    fill(leaf, vector, from, 0, length)
    return leaf
  })
}

/** A tree of numbers as a vector. */
export interface Raveled<T> {
  /** All numbers, leaf by leaf. */
  readonly vector: Float32Array | Float64Array
  /** The tree with the numbers of another vector in its leaves. Throws VectorLengthMismatch. */
  readonly unravel: (vector: ArrayLike<number>) => T
}

/**
 * Lines up all numbers of a tree in one vector, and gives the function that puts such a vector back into the tree.
 *
 * Leaves are numbers and typed arrays. The vector is a `Float64Array`, or a `Float32Array` if that holds all leaves
 * exactly, as it does `Float32Array` and integers of 8 and 16 bits. `unravel` makes leaves of the original types.
 *
 * Throws UnsupportedLeaf naming all other leaves, CyclicTree if a node contains itself.
 * Source: `jax.flatten_util.ravel_pytree`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const { vector, unravel } = PyTree.ravel({ w: [1, 2], b: Float32Array.of(3) })
 * assert.deepStrictEqual(vector, Float64Array.of(3, 1, 2))
 * assert.deepStrictEqual(unravel(vector.map((x) => 2 * x)), { w: [2, 4], b: Float32Array.of(6) })
 * ```
 */
export const ravel = <T>(tree: T): Raveled<T> => {
  const { def, leaves } = take(tree, operation)
  const runs = runsOf(leaves, def)
  const vector = join(runs)
  const unravel = (other: ArrayLike<number>): T => {
    const [expected, found] = [vector.length, other.length]
    if (found !== expected) throw new VectorLengthMismatch({ operation: "PyTree.ravel (unravel)", expected, found })
    // the leaves are of the types they were of
    return put(recordsOf(def), cut(runs, other)) as T
  }
  return { vector, unravel }
}
