/** Distance over gradients: a step size that nobody has to choose. */
import { add, div, type Expr, full, maximum, mul, sqrt, sub } from "../../../Expr.ts"
import { finite, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain } from "../../transform/hyper.ts"
import { norm, squaredNorm } from "../../transform/norms.ts"
import { type SlotLists, withSlotsAndParams } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `scaleByDistanceOverGradients` is made with. */
export interface ScaleByDistanceOverGradientsOptions {
  /** The first distance in units of 1 + ‖p‖, ≥ 0: 1e-4 for models with batch normalisation. Default 1e-6. */
  readonly repsRel?: Hyper | undefined
  /** Added to the sum of squared gradients, ≥ 0. Default 1e-8. */
  readonly eps?: Hyper | undefined
  /** A factor for all updates, of either sign. Default 1. */
  readonly globalScale?: Hyper | undefined
}

/** For each leaf the largest distance from where it started, the sum of its squared gradients, and where it started. */
export type DistanceOverGradientsState = SlotLists<{
  readonly maxDist: Expr
  readonly gradSumOfSquares: Expr
  readonly initParams: Expr
}>

/**
 * Distance over gradients, leaf by leaf: the step is as long as the parameters have come from where they started.
 *
 *     d ← max(d, ‖p − p₀‖)        G ← G + ‖g‖²        u = globalScale·d / √(G + eps)·g
 *
 * State: `maxDist`, at first repsRel·(1 + ‖p₀‖); `gradSumOfSquares`, zero at first; `initParams`, p₀. The updates point
 * along the gradient; `globalScale: -1` or `scaleByLearningRate` turns them. Needs the parameters. Throws
 * `InvalidHyperParameter` unless repsRel, eps ≥ 0 and globalScale is finite. The authors recommend averaging the parameters.
 * Source: Ivgi, Hinder & Carmon 2023 (layer-wise form); `optax.scale_by_distance_over_gradients`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const dog = Transform.scaleByDistanceOverGradients({ repsRel: 0.5, eps: 0 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(dog, { w: 10 }, yield* Transform.init(dog, { w: 1 }), { params: { w: 1 } })
 *   const second = yield* Transform.update(dog, { w: 0 }, first.state, { params: { w: 4 } })
 *   return [first.updates.w.dataSync()[0], second.state.maxDist.w.dataSync()[0]]
 * })
 * // The first step is 0.5·(1 + 1) long, whatever the gradient; later steps are as long as the way so far.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 3])
 * ```
 */
export const scaleByDistanceOverGradients = ({
  eps = 1e-8,
  globalScale = 1,
  repsRel = 1e-6
}: ScaleByDistanceOverGradientsOptions = {}): Transform<DistanceOverGradientsState, "params"> => {
  const name = "scaleByDistanceOverGradients"
  const h = checked(
    name,
    { repsRel, eps, globalScale },
    { repsRel: nonNegative, eps: nonNegative, globalScale: finite }
  )
  return withSlotsAndParams({
    name,
    hyperParameters: plain(h),
    init: (p) => ({
      maxDist: mul(h.repsRel, add(1, norm(p))),
      gradSumOfSquares: full({ shape: [], dtype: "float32" }, 0),
      initParams: p
    }),
    update: (g, state, p) => {
      const maxDist = maximum(state.maxDist, norm(sub(p, state.initParams)))
      const gradSumOfSquares = add(state.gradSumOfSquares, squaredNorm(g))
      const rate = mul(h.globalScale, div(maxDist, sqrt(add(gradSumOfSquares, h.eps))))
      return { update: mul(rate, g), maxDist, gradSumOfSquares, initParams: state.initParams }
    }
  })
}
