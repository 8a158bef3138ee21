/** SM3: Adagrad in the memory of one vector per axis. */
import type * as Schedules from "@optim/schedules"
import {
  add,
  div,
  ema,
  full,
  greater,
  max,
  minimum,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  where,
  zerosLike
} from "../../Expr.ts"
import * as Scalar from "../../Scalar.ts"
import { check, decay, stepSize as stepSizeRange } from "../optimizer/hyperParameters.ts"
import { leafwise } from "../optimizer/leafwise.ts"
import { along, others, withAxes } from "../transform/axes.ts"

/** What `sm3` is made with. */
export interface Sm3Options {
  /** α: the learning rate, or a schedule of it. */
  readonly stepSize: Schedules.StepSize
  /** β: the decay of the averaged step, 0 ≤ β < 1. Default 0.9. */
  readonly momentum?: number | undefined
}

/**
 * SM3: Adagrad whose sums of squares are kept as one vector per axis instead of one number per element.
 *
 *     a ← minⱼ vⱼ + g²             (vⱼ repeated along all axes but j)
 *     m ← (1−β)·g/√a + β·m          (g/√a is 0 where a is 0)
 *     x ← x − α(t)·m
 *     vⱼ ← max of a over all axes but j
 *
 * State: `x`, the averaged step `m`, and `v`, a vector of size nⱼ for each axis j, all zero at first. On a vector it is
 * Adagrad; a number counts as a vector of one element. Throws `InvalidHyperParameter` unless α ≥ 0 and 0 ≤ β < 1.
 * Source: Anil, Gupta, Koren & Singer 2019, SM3-II; `jax.example_libraries.optimizers.sm3`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const sm3 = Optimizer.sm3({ stepSize: 0.1 })
 *   const state = yield* sm3.init({ w: tf.zeros([200, 30]) })
 *   return OptimizerState.unpack(state).w.subtree.v.map((vector) => vector.size)
 * })
 * // Two vectors stand for 6000 sums.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [200, 30])
 * ```
 */
export const sm3 = leafwise(({ momentum = 0.9, stepSize }: Sm3Options) => {
  const hyperParameters = check("sm3", { stepSize, momentum }, { stepSize: stepSizeRange, momentum: decay })
  const rate = Scalar.schedule(stepSize)
  return {
    name: "sm3",
    hyperParameters,
    init: (x) => ({
      x,
      m: zerosLike(x),
      v: withAxes(x.shape).map((size) => full({ shape: [size], dtype: x.dtype }, 0))
    }),
    update: (t, g, state) => {
      const shape = withAxes(g.shape)
      const least = state.v.map((vector, axis) => along(vector, axis, shape)).reduce((a, b) => minimum(a, b))
      const a = add(least, square(reshape(g, shape)))
      const inverseRoot = reshape(where(greater(a, 0), div(1, sqrt(a)), 0), g.shape)
      const m = ema(momentum, state.m, mul(g, inverseRoot))
      const v = state.v.map((_, axis) => max(a, { axes: others(shape, axis) }))
      return { x: sub(state.x, mul(rate(t), m)), m, v }
    },
    params: ({ x }) => x
  }
})
