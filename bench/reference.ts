/**
 * What every optimizer must compute, in float64 on the host: contestants are compared with this before they are timed.
 *
 * Rules work element by element on a sample of positions, first and last ones included, so a leaf of ten million
 * elements is checked in no time; what needs the whole leaf says so.
 */
import type { Leaf } from "./setting.ts"

/** The parameters at some positions of a leaf, after so many steps with its gradient, as one of all leaves. */
export type Reference = (leaf: Leaf, steps: number, positions: Int32Array, all: ReadonlyArray<Leaf>) => Float64Array

/** One element of one step t = 0, 1, …; the state is [x, …] and is changed in place. */
type Rule = (t: number, g: number, state: Float64Array) => void

export const rate = 1e-3
export const mass = 0.9
export const b1 = 0.9
export const b2 = 0.999
export const eps = 1e-8
export const gamma = 0.9
export const momentum = 0.9
/** Where `tf.train.adagrad` begins to count. */
export const initialAccumulator = 0.1
export const maxNorm = 1

/** The number at a place. */
export const get = (numbers: Float32Array | Float64Array, index: number): number => numbers[index] ?? Number.NaN

/** A reference that goes element by element. */
export const elementwise =
  (rule: Rule, initial: ReadonlyArray<number> = []): Reference =>
  ({ g, x }, steps, positions) =>
    Float64Array.from(positions, (position) => {
      const state = Float64Array.of(get(x, position), initial[0] ?? 0, initial[1] ?? 0)
      for (let t = 0; t < steps; t++) rule(t, get(g, position), state)
      return get(state, 0)
    })

/** A rule of the parameter and two slots that gives all three anew. */
export const rule =
  (
    next: (t: number, g: number, x: number, a: number, b: number) => readonly [x: number, a?: number, b?: number]
  ): Rule =>
  (t, g, state) => {
    const [x, a = 0, b = 0] = next(t, g, get(state, 0), get(state, 1), get(state, 2))
    state[0] = x
    state[1] = a
    state[2] = b
  }

const adamRule = rule((t, g, x, m, v) => {
  const m1 = (1 - b1) * g + b1 * m
  const v1 = (1 - b2) * g * g + b2 * v
  const mHat = m1 / (1 - b1 ** (t + 1))
  const vHat = v1 / (1 - b2 ** (t + 1))
  return [x - (rate * mHat) / (Math.sqrt(vHat) + eps), m1, v1]
})

const adagradRule = rule((_, g, x, s, m) => {
  const s1 = s + g * g
  const m1 = (1 - momentum) * (s1 > 0 ? g / Math.sqrt(s1) : 0) + momentum * m
  return [x - rate * m1, s1, m1]
})

const adam = elementwise(adamRule)

const clippedAdam: Reference = (leaf, steps, positions, all) => {
  const norm = Math.sqrt(all.reduce((total, { g }) => g.reduce((sum, each) => sum + each * each, total), 0))
  const factor = norm < maxNorm ? 1 : maxNorm / norm
  return adam({ ...leaf, g: leaf.g.map((g) => g * factor) }, steps, positions, all)
}

/** SM3 on a matrix. */
const sm3: Reference = ({ g, shape: [rows = 1, columns = 1], x }, steps, positions) => {
  const now = Float64Array.from(x)
  const m = new Float64Array(x.length)
  let byRow = new Float64Array(rows)
  let byColumn = new Float64Array(columns)
  for (let t = 0; t < steps; t++) {
    const nextByRow = new Float64Array(rows)
    const nextByColumn = new Float64Array(columns)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const index = row * columns + column
        const gradient = get(g, index)
        const a = Math.min(get(byRow, row), get(byColumn, column)) + gradient ** 2
        m[index] = (1 - momentum) * (a > 0 ? gradient / Math.sqrt(a) : 0) + momentum * get(m, index)
        now[index] = get(now, index) - rate * get(m, index)
        nextByRow[row] = Math.max(get(nextByRow, row), a)
        nextByColumn[column] = Math.max(get(nextByColumn, column), a)
      }
    }
    byRow = nextByRow
    byColumn = nextByColumn
  }
  return Float64Array.from(positions, (position) => get(now, position))
}

/** The references by the name of the optimizer. */
export const references = {
  adam,
  "clipGrads+adam": clippedAdam,
  sgd: elementwise(rule((_, g, x) => [x - rate * g])),
  momentum: elementwise(
    rule((_, g, x, v) => {
      const v1 = mass * v + g
      return [x - rate * v1, v1]
    })
  ),
  nesterov: elementwise(
    rule((_, g, x, v) => {
      const v1 = mass * v + g
      return [x - rate * (mass * v1 + g), v1]
    })
  ),
  rmsprop: elementwise(
    rule((_, g, x, a) => {
      const a1 = gamma * a + (1 - gamma) * g * g
      return [x - (rate * g) / Math.sqrt(a1 + eps), a1]
    })
  ),
  adagrad: elementwise(adagradRule),
  /** tfjs' own Adagrad has no momentum, and its sum does not begin at 0. */
  tfjsAdagrad: elementwise(
    rule((_, g, x, s) => {
      const s1 = s + g * g
      return [x - (rate * g) / Math.sqrt(s1), s1]
    }),
    [initialAccumulator]
  ),
  adamax: elementwise(
    rule((t, g, x, m, u) => {
      const m1 = (1 - b1) * g + b1 * m
      const u1 = Math.max(b2 * u, Math.abs(g))
      return [x - ((rate / (1 - b1 ** (t + 1))) * m1) / (u1 + eps), m1, u1]
    })
  ),
  sm3
} satisfies { readonly [name: string]: Reference }

const sampled = 20_000

const tail = 64

/** Positions of a leaf that are looked at: all of a small one, of a large one a sample and the whole end. */
export const positionsOf = (size: number): Int32Array => {
  if (size <= sampled) return Int32Array.from({ length: size }, (_, index) => index)
  const stride = Math.floor((size - tail) / sampled)
  const head = Array.from({ length: sampled }, (_, index) => index * stride)
  return Int32Array.from([...head, ...Array.from({ length: tail }, (_, index) => size - tail + index)])
}
