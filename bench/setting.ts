/**
 * Cases: shapes of parameters, and the numbers in them, the same for every contestant and in every run.
 */

/** A tree of parameters, as the shapes of its leaves. */
export interface Case {
  readonly name: string
  readonly shapes: ReadonlyArray<ReadonlyArray<number>>
}

const leaves = (count: number, shape: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: count }, () => shape)

/** One leaf of n elements. */
export const single = (n: number): Case => ({ name: n.toLocaleString("en-US"), shapes: [[n]] })

/** One matrix. */
export const matrix = (rows: number, columns: number): Case => ({
  name: `[${rows}, ${columns}]`,
  shapes: [[rows, columns]]
})

/** Many equal vectors. */
export const many = (count: number, size: number): Case => ({
  name: `${count.toLocaleString("en-US")} x ${size.toLocaleString("en-US")}`,
  shapes: leaves(count, [size])
})

/** The layers 784-512-256-10, weights and biases: 535,818 elements. */
export const mlp: Case = { name: "mlp", shapes: [[784, 512], [512], [512, 256], [256], [256, 10], [10]] }

/** The elements of a shape. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((product, size) => product * size, 1)

/** The elements of all leaves. */
export const elementsOf = ({ shapes }: Case): number => shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)

/** The numbers of one leaf before the first step: parameters uniform in ±1, gradients uniform in ±0.1. */
export interface Leaf {
  readonly shape: ReadonlyArray<number>
  readonly x: Float32Array
  readonly g: Float32Array
}

/** A case with its numbers. */
export interface Setting extends Case {
  readonly elements: number
  readonly leaves: ReadonlyArray<Leaf>
}

/** Marsaglia's xorshift, seeded by the position of the leaf. */
const uniform = (length: number, seed: number, scale: number): Float32Array => {
  const numbers = new Float32Array(length)
  let state = (seed + 1) * 0x9e3779b1
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    numbers[index] = (state / 0x80000000) * scale
  }
  return numbers
}

/** Fills a case with its numbers. */
export const fill = (self: Case): Setting => ({
  ...self,
  elements: elementsOf(self),
  leaves: self.shapes.map((shape, index) => ({
    shape,
    x: uniform(sizeOf(shape), 2 * index, 1),
    g: uniform(sizeOf(shape), 2 * index + 1, 0.1)
  }))
})
