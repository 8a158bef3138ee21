/** SM3: Adagrad in the memory of one vector per axis. */
import {
  add,
  div,
  ema,
  type Expr,
  full,
  greater,
  max,
  minimum,
  mul,
  reshape,
  sqrt,
  square,
  where,
  zerosLike
} from "../../../Expr.ts"
import * as Scalar from "../../../Scalar.ts"
import { decay, mass, nonNegative } from "../../optimizer/hyperParameters.ts"
import { along, others, withAxes } from "../../transform/axes.ts"
import { checked, type Hyper, plain, scalarOf } from "../../transform/hyper.ts"
import { type SlotLists, withSlots } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleBySm3` is made with. */
export interface ScaleBySm3Options {
  /** The decay of the averaged update, 0 ≤ b1 < 1. Default 0.9. */
  readonly b1?: Hyper | undefined
  /** The decay of the sums of squares, 0 ≤ b2 ≤ 1; 1 adds up without decay. Default 1. */
  readonly b2?: Hyper | undefined
  /** Added to the sums of squares within the root, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
}

/** For each leaf a vector for each of its axes, and the averaged update. */
export type ScaleBySm3State = SlotLists<{ readonly mu: ReadonlyArray<Expr>; readonly nu: Expr }>

const weightOf: Scalar.Compute = (b2 = Number.NaN) => (b2 === 1 ? 1 : 1 - b2)

/**
 * SM3: Adagrad whose sums of squares are kept as one vector per axis instead of one number per element.
 *
 *     a = w·g² + b2·minⱼ μⱼ         w = 1 − b2, or 1 where b2 = 1     (μⱼ repeated along all axes but j)
 *     ν ← (1−b1)·g/√(a + eps) + b1·ν                                  (the quotient is 0 where a is 0)
 *     μⱼ ← max of a over all axes but j
 *     u = ν
 *
 * State: `mu`, a vector of size nⱼ for each axis j, and `nu`, all zero at first. A number counts as a vector of one element,
 * where the reference fails. The seed's `Optimizer.sm3` has no eps, and no b2. Throws `InvalidHyperParameter` unless
 * 0 ≤ b1 < 1, 0 ≤ b2 ≤ 1 and eps ≥ 0.
 * Source: Anil, Gupta, Koren & Singer 2019, SM3-II; `optax.scale_by_sm3`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const init = Transform.init(Transform.scaleBySm3(), { w: tf.zeros([200, 30]) })
 * const { mu } = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual(mu.w.map((vector) => vector.size), [200, 30]) // two vectors stand for 6000 sums
 * ```
 */
export const scaleBySm3 = ({ b1 = 0.9, b2 = 1, eps = 1e-8 }: ScaleBySm3Options = {}): Transform<ScaleBySm3State> => {
  const name = "scaleBySm3"
  const h = checked(name, { b1, b2, eps }, { b1: decay, b2: mass, eps: nonNegative })
  const weight = Scalar.apply("weight", weightOf, scalarOf(h.b2))
  return withSlots({
    name,
    hyperParameters: plain(h),
    init: (p): { mu: ReadonlyArray<Expr>; nu: Expr } => ({
      mu: withAxes(p.shape).map((size) => full({ shape: [size], dtype: "float32" }, 0)),
      nu: zerosLike(p)
    }),
    update: (g, state) => {
      const shape = withAxes(g.shape)
      const least = state.mu.map((vector, axis) => along(vector, axis, shape)).reduce((a, b) => minimum(a, b))
      const sums = add(mul(weight, square(reshape(g, shape))), mul(h.b2, least))
      const inverseRoot = reshape(where(greater(sums, 0), div(1, sqrt(add(sums, h.eps))), 0), g.shape)
      const nu = ema(h.b1, state.nu, mul(g, inverseRoot))
      return { update: nu, mu: state.mu.map((_, axis) => max(sums, { axes: others(shape, axis) })), nu }
    }
  })
}
