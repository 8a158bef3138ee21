/** LARS. */
import { mass } from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { trace, type TraceState } from "../../transforms/accumulate/trace.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { masked, type MaskedState } from "../../transforms/combine/masked.ts"
import { scaleByTrustRatio } from "../../transforms/norms/scaleByTrustRatio.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `lars` is made with. */
export interface LarsOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** λ: the decay of the parameters. Default 0. */
  readonly weightDecay?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly weightDecayMask?: Mask
  /** c: the length of a step as a share of the parameter's. Default 0.001. */
  readonly trustCoefficient?: Hyper | undefined
  /** Added to the norm of the update, ≥ 0. Default 0. */
  readonly eps?: Hyper | undefined
  /** Which leaves are scaled by the ratio of norms. Default all. */
  readonly trustRatioMask?: Mask
  /** The share of the trace that is kept, 0 ≤ momentum ≤ 1. Default 0.9. */
  readonly momentum?: Hyper | undefined
  /** Look one step ahead? Default false. */
  readonly nesterov?: boolean | undefined
}

/**
 * LARS: gradients as long as the parameters that they move, with momentum; for large batches.
 *
 *     r = g + λ·p        u = trace(−η(count)·c·(‖p‖/‖r‖)·r)        for each leaf
 *
 * The rate stands within the momentum, unlike that of `sgd`. The chain `addDecayedWeights`, a masked `scaleByTrustRatio`,
 * `scaleByLearningRate`, `trace`, whose states it holds. Throws `InvalidHyperParameter` as they do.
 * Source: You, Gitman & Ginsburg 2017; `optax.lars`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.lars({ learningRate: 1, trustCoefficient: 0.25 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: -1000 }, yield* optimizer.init({ w: 4 }))
 *   return optimizer.params(state).w.dataSync()[0]
 * })
 * // A quarter of the parameter, against the gradient, whatever its size.
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 5)
 * ```
 */
export const lars = ({
  eps = 0,
  learningRate,
  momentum = 0.9,
  nesterov = false,
  trustCoefficient = 0.001,
  trustRatioMask = true,
  weightDecay = 0,
  weightDecayMask
}: LarsOptions): Transform<readonly [Counted, MaskedState<Stateless>, Counted, TraceState], "params"> =>
  named(
    "lars",
    plain({ learningRate, weightDecay, trustCoefficient, eps, momentum, nesterov }),
    chain(
      addDecayedWeights({ weightDecay, mask: weightDecayMask }),
      masked(scaleByTrustRatio({ trustCoefficient, eps }), trustRatioMask),
      scaleByLearningRate({ learningRate }),
      trace({ decay: checkedAs("lars", "momentum", momentum, mass), nesterov })
    )
  )
