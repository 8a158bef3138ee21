/** Trees of every form with tensors, numbers and typed arrays at their leaves, and gradients for them. */
import { PyTree } from "@optim/pytree"
import * as tf from "@tensorflow/tfjs-core"
import * as fc from "fast-check"

/** A leaf on the host: what kind of leaf the user has, its shape, and its numbers. */
export class Leaf {
  readonly kind: "tensor" | "number" | "vector"
  readonly shape: ReadonlyArray<number>

  constructor(kind: Leaf["kind"], shape: ReadonlyArray<number>) {
    this.kind = kind
    this.shape = shape
  }

  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1)
  }
}

/** The numbers of a leaf, drawn in turn from a few. */
const filled = (leaf: Leaf, values: ReadonlyArray<number>, offset: number): Float32Array =>
  Float32Array.from({ length: leaf.size }, (_, index) => values[(offset + index) % values.length] ?? 0)

const toUser = (leaf: Leaf, data: Float32Array): unknown => {
  if (leaf.kind === "number") return data[0] ?? 0
  return leaf.kind === "vector" ? data : tf.tensor(data, [...leaf.shape], "float32")
}

/** A tree of leaves, numbers for its parameters, and numbers for its gradients. */
export interface Problem {
  readonly tree: unknown
  readonly values: ReadonlyArray<number>
  readonly slopes: ReadonlyArray<number>
}

const fill = (tree: unknown, values: ReadonlyArray<number>, offset: number): unknown =>
  PyTree.map(tree, (leaf: unknown) => toUser(leaf as Leaf, filled(leaf as Leaf, values, offset)))

/** The user's parameters; tensors in them are new. */
export const params = ({ tree, values }: Problem): unknown => fill(tree, values, 0)

/** The gradients of a step; tensors in them are new. */
export const gradients = ({ slopes, tree }: Problem, step: number): unknown => fill(tree, slopes, step)

/** What each leaf of the parameters holds as float32 numbers. */
export const expected = ({ tree, values }: Problem): ReadonlyArray<ReadonlyArray<number>> =>
  PyTree.leaves(tree).map((leaf: unknown) => Array.from(filled(leaf as Leaf, values, 0)))

const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) }
)

const shape = fc.array(size, { maxLength: 4 })

const leaf = fc.oneof(
  { weight: 3, arbitrary: shape.map((shape) => new Leaf("tensor", shape)) },
  { weight: 1, arbitrary: fc.constant(new Leaf("number", [])) },
  { weight: 1, arbitrary: size.map((size) => new Leaf("vector", [size])) }
)

const key = fc.constantFrom("w", "b", "layer", "10", "2", "__proto__", "a.b", "constructor")

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
    { weight: 3, arbitrary: fc.array(tie("tree"), { maxLength: 3 }) },
    { weight: 5, arbitrary: fc.dictionary(key, tie("tree"), { maxKeys: 3, noNullPrototype: true }) }
  )
}))

const ordinary = fc.integer({ min: -4096, max: 4096 }).map((n) => n / 1024)

const tiny = fc.float({ min: -100, max: 100, noNaN: true, noDefaultInfinity: true })

/** Numbers at the edges of float32: signed zeros, subnormals, the largest, infinities, NaN. */
const edge = fc.constantFrom(0, -0, 1e-45, -1e-40, Math.fround(3.4e38), Infinity, -Infinity, NaN)

const number = fc.oneof(
  { weight: 6, arbitrary: ordinary },
  { weight: 2, arbitrary: tiny },
  { weight: 1, arbitrary: edge }
)

const numbers = fc.array(number, { minLength: 1, maxLength: 7 })

/** Problems of every form. */
export const problem: fc.Arbitrary<Problem> = fc.record({ tree, values: numbers, slopes: numbers })
