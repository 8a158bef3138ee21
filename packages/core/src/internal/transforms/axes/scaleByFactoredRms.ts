/** Root mean squares in the memory of rows and columns. */
import {
  add,
  div,
  ema,
  type Expr,
  full,
  mul,
  neg,
  pow,
  type Shape,
  sqrt,
  square,
  sub,
  zerosLike
} from "../../../Expr.ts"
import * as Scalar from "../../../Scalar.ts"
import { check, count, finite, integer, nonNegative } from "../../optimizer/hyperParameters.ts"
import { repeated } from "../../transform/axes.ts"
import { checked, type Hyper, plain, scalarOf } from "../../transform/hyper.ts"
import { mean } from "../../transform/norms.ts"
import { counting, type Counted, type SlotLists } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByFactoredRms` is made with. */
export interface ScaleByFactoredRmsOptions {
  /** Keep rows and columns instead of all mean squares, where a leaf is large enough? Default true. */
  readonly factored?: boolean | undefined
  /** The exponent by which the decay of the mean squares approaches 1. Default 0.8. */
  readonly decayRate?: Hyper | undefined
  /** How many updates the count lags behind: the first step of a fine tuning. Default 0. */
  readonly stepOffset?: Hyper | undefined
  /** A leaf is large enough if two of its axes have at least this size. Default 128. */
  readonly minDimSizeToFactor?: number | undefined
  /** Added to the squared gradient, ≥ 0. Default 1e-30. */
  readonly epsilon?: Hyper | undefined
  /** The decay of the mean squares, given the count of updates (less the offset) and `decayRate`. */
  readonly decayRateFn?: ((count: number, decayRate: number) => number) | undefined
}

type Slots = {
  readonly vRow: Expr | null
  readonly vCol: Expr | null
  readonly v: Expr | null
}

/** The mean squares of each leaf: of its rows and columns, or of its elements; what a leaf does not need is `null`. */
export type ScaleByFactoredRmsState = Counted & SlotLists<Slots>

/** The second largest and the largest axis, of equals the later one being the larger; −1 where there is none. */
const largestTwo = (shape: Shape): readonly [number, number] => {
  const bySize = shape.map((_, axis) => axis).toSorted((a, b) => (shape[a] ?? 0) - (shape[b] ?? 0))
  return [bySize.at(-2) ?? -1, bySize.at(-1) ?? -1]
}

/** Zeros of a shape without one of its axes. */
const zerosWithout = (axis: number, { shape }: Expr): Expr =>
  full({ shape: shape.filter((_, other) => other !== axis), dtype: "float32" }, 0)

const inverseRoot = (x: Expr): Expr => div(1, sqrt(x))

/** 1 − (t − offset)^−rate, or what the given function says. */
const decayAt = (
  { decayRate, stepOffset }: { readonly decayRate: Hyper; readonly stepOffset: Hyper },
  given: ScaleByFactoredRmsOptions["decayRateFn"]
): ((t: Scalar.Scalar) => Scalar.Scalar) => {
  if (given === undefined) return (t) => sub(1, pow(sub(t, stepOffset), neg(decayRate)))
  const compute: Scalar.Compute = (count = Number.NaN, rate = Number.NaN) => given(count, rate)
  return (t) => Scalar.apply("decayRateFn", compute, sub(sub(t, 1), stepOffset), scalarOf(decayRate))
}

/**
 * The gradient scaled by the root of its mean square, kept for large leaves as the means of rows and columns: the direction
 * of Adafactor.
 *
 *     d = 1 − (t − stepOffset)^−decayRate          q = g² + epsilon                      t = 1, 2, …
 *     r ← d·r + (1−d)·mean of q over the largest axis
 *     c ← d·c + (1−d)·mean of q over the second largest axis
 *     u = g·1/√(r / mean of r)·1/√c                                (r and c repeated along their missing axes)
 *
 * Where the second largest axis is shorter than `minDimSizeToFactor`, and with `factored: false` everywhere, all mean
 * squares are kept: `v ← d·v + (1−d)·q`, `u = g / √v`. State: `count`; `vRow` (r) and `vCol` (c), or `v`, `null` where there
 * is none (the reference keeps a zero there). At t = stepOffset the decay is not finite, as in the reference. Throws
 * `InvalidHyperParameter` unless epsilon ≥ 0, decayRate is finite, stepOffset an integer and minDimSizeToFactor a natural
 * number. Source: Shazeer & Stern 2018, Algorithm 4; `optax.scale_by_factored_rms`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const init = Transform.init(Transform.scaleByFactoredRms(), { w: tf.zeros([200, 300]), b: tf.zeros([300]) })
 * const { v, vCol, vRow } = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * // 500 numbers stand for 60000; a vector has no rows.
 * assert.deepStrictEqual([vRow.w?.size, vCol.w?.size, v.w], [200, 300, null])
 * assert.deepStrictEqual([vRow.b, vCol.b, v.b?.size], [null, null, 300])
 * ```
 */
export const scaleByFactoredRms = ({
  decayRate = 0.8,
  decayRateFn,
  epsilon = 1e-30,
  factored = true,
  minDimSizeToFactor = 128,
  stepOffset = 0
}: ScaleByFactoredRmsOptions = {}): Transform<ScaleByFactoredRmsState> => {
  const name = "scaleByFactoredRms"
  const ranges = { decayRate: finite, stepOffset: integer, epsilon: nonNegative }
  const h = checked(name, { decayRate, stepOffset, epsilon }, ranges)
  check(name, { minDimSizeToFactor }, { minDimSizeToFactor: count })
  const decay = decayAt(h, decayRateFn)
  const transform = counting({
    name,
    hyperParameters: plain({ factored, ...h, minDimSizeToFactor, ...(decayRateFn && { decayRateFn }) }),
    init: (p): Slots => {
      const [second, largest] = largestTwo(p.shape)
      return factored && (p.shape[second] ?? -1) >= minDimSizeToFactor
        ? { vRow: zerosWithout(largest, p), vCol: zerosWithout(second, p), v: null }
        : { vRow: null, vCol: null, v: zerosLike(p) }
    },
    update: (g, slots, t) => {
      const [d, q] = [decay(t), add(square(g), h.epsilon)]
      if (slots.vRow === null || slots.vCol === null) {
        const v = ema(d, slots.v ?? zerosLike(g), q)
        return { update: div(g, sqrt(v)), vRow: null, vCol: null, v }
      }
      const [second, largest] = largestTwo(g.shape)
      const vRow = ema(d, slots.vRow, mean(q, [largest]))
      const vCol = ema(d, slots.vCol, mean(q, [second]))
      const along = second > largest ? second - 1 : second
      const rowMean = repeated(mean(vRow, [along]), along, vRow.shape)
      const row = repeated(inverseRoot(div(vRow, rowMean)), largest, g.shape)
      const col = repeated(inverseRoot(vCol), second, g.shape)
      return { update: mul(mul(g, row), col), vRow, vCol, v: null }
    }
  })
  return { ...transform, fixed: ["minDimSizeToFactor", "decayRateFn"] }
}
