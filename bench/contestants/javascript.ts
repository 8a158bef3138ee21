/**
 * Hand-written JavaScript: one pass over Float32Arrays, in doubles.
 */
import type { Contestant } from "../contestant.ts"
import { b1, b2, eps, gamma, mass, momentum, rate, type Reference } from "../reference.ts"
import type { Setting } from "../setting.ts"
import { folded } from "../kernels/adam.ts"

/** One step over one leaf; `a` and `b` are its slots. */
export type Loop = (t: number, x: Float32Array, g: Float32Array, a: Float32Array, b: Float32Array) => void

// All arrays are as long as x; the compiler of the engine sees that the alternative never happens.
const at = (array: Float32Array, index: number): number => array[index] ?? Number.NaN

/** The loops by the name of the optimizer. */
export const loops = {
  adam: (t, x, g, m, v) => {
    const [alpha, epsilon] = folded(t)
    for (let i = 0; i < x.length; i++) {
      const mean = b1 * at(m, i) + (1 - b1) * at(g, i)
      const square = b2 * at(v, i) + (1 - b2) * at(g, i) * at(g, i)
      m[i] = mean
      v[i] = square
      x[i] = at(x, i) - (alpha * mean) / (Math.sqrt(square) + epsilon)
    }
  },
  sgd: (_, x, g) => {
    for (let i = 0; i < x.length; i++) x[i] = at(x, i) - rate * at(g, i)
  },
  momentum: (_, x, g, v) => {
    for (let i = 0; i < x.length; i++) {
      const velocity = mass * at(v, i) + at(g, i)
      v[i] = velocity
      x[i] = at(x, i) - rate * velocity
    }
  },
  nesterov: (_, x, g, v) => {
    for (let i = 0; i < x.length; i++) {
      const velocity = mass * at(v, i) + at(g, i)
      v[i] = velocity
      x[i] = at(x, i) - rate * (mass * velocity + at(g, i))
    }
  },
  rmsprop: (_, x, g, a) => {
    for (let i = 0; i < x.length; i++) {
      const square = gamma * at(a, i) + (1 - gamma) * at(g, i) * at(g, i)
      a[i] = square
      x[i] = at(x, i) - (rate * at(g, i)) / Math.sqrt(square + eps)
    }
  },
  adagrad: (_, x, g, s, m) => {
    for (let i = 0; i < x.length; i++) {
      const sum = at(s, i) + at(g, i) * at(g, i)
      const mean = momentum * at(m, i) + (1 - momentum) * (sum > 0 ? at(g, i) / Math.sqrt(sum) : 0)
      s[i] = sum
      m[i] = mean
      x[i] = at(x, i) - rate * mean
    }
  },
  adamax: (t, x, g, m, u) => {
    const alpha = rate / (1 - b1 ** (t + 1))
    for (let i = 0; i < x.length; i++) {
      const mean = b1 * at(m, i) + (1 - b1) * at(g, i)
      const largest = Math.max(b2 * at(u, i), Math.abs(at(g, i)))
      m[i] = mean
      u[i] = largest
      x[i] = at(x, i) - (alpha * mean) / (largest + eps)
    }
  }
} satisfies { readonly [name: string]: Loop }

/** A contestant of a loop. */
export const javascript =
  (loop: Loop, reference: Reference) =>
  ({ leaves }: Setting): Contestant => {
    const states = leaves.map(({ g, x }) => ({
      x: Float32Array.from(x),
      g,
      a: new Float32Array(x.length),
      b: new Float32Array(x.length)
    }))
    let t = 0
    return {
      name: "JavaScript",
      reference,
      step: () => {
        for (const { a, b, g, x } of states) loop(t, x, g, a, b)
        t++
      },
      read: () => states.map(({ x }) => x),
      end: () => undefined
    }
  }
