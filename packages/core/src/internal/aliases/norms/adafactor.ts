/** Adafactor. */
import {
  decay,
  decayRate as anyRate,
  integer,
  nonNegative,
  positive,
  type Range
} from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import type { Mask } from "../../transform/mask.ts"
import { named } from "../../transform/named.ts"
import { optional } from "../../transform/optional.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { ema, type EmaState } from "../../transforms/accumulate/ema.ts"
import { scaleByFactoredRms, type ScaleByFactoredRmsState } from "../../transforms/axes/scaleByFactoredRms.ts"
import { clipByBlockRms } from "../../transforms/clip/clipByBlockRms.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleByParamBlockRms } from "../../transforms/norms/scaleByParamBlock.ts"
import { scale } from "../../transforms/scale/scale.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `adafactor` is made with. */
export interface AdafactorOptions {
  /** η: the rate, or a schedule of it. Default none: then the parameters' own size is the rate. */
  readonly learningRate?: Rate | undefined
  /** The least size of the second largest axis of a leaf whose mean squares are factored. Default 128. */
  readonly minDimSizeToFactor?: number | undefined
  /** How fast the decay of mean squares comes to 1: 1 − t^−decayRate. Default 0.8. */
  readonly decayRate?: Hyper | undefined
  /** Updates that came before, where a run goes on from another. Default 0. */
  readonly decayOffset?: Hyper | undefined
  /** Scale updates by the root mean square of each leaf? Default true. */
  readonly multiplyByParameterScale?: boolean | undefined
  /** The largest root mean square of an update, or null for none. Default 1. */
  readonly clippingThreshold?: Hyper | null | undefined
  /** The decay of the mean of updates. Default none. */
  readonly momentum?: Hyper | undefined
  /** The decay of the parameters, not multiplied by the rate. Default none. */
  readonly weightDecayRate?: Rate | undefined
  /** Which leaves decay. Default all. */
  readonly weightDecayMask?: Mask
  /** Added to squared gradients. Default 1e-30. */
  readonly eps?: Hyper | undefined
  /** Keep mean squares as one row and one column where a leaf is large enough? Default true. */
  readonly factored?: boolean | undefined
}

const name = "adafactor"

/** What is made of an option, if it is given. */
const given = <A, T>(value: A | null | undefined, make: (value: A) => T): T | undefined =>
  value === undefined || value === null ? undefined : make(value)

/** An option in its range, for a part that has another name for it. */
const own = <V>(parameter: string, value: V, range: Range): V => checkedAs(name, parameter, value, range)

type State = readonly [
  ScaleByFactoredRmsState,
  Stateless,
  Counted | null,
  Stateless,
  EmaState | null,
  Counted | null,
  Stateless
]

/**
 * Adafactor: steps scaled by mean squares that are kept as one row and one column of each matrix, in the size of the
 * parameters.
 *
 * The chain `scaleByFactoredRms`, `clipByBlockRms`, `scaleByLearningRate` without the flip of the sign,
 * `scaleByParamBlockRms`, `ema` without correction, `addDecayedWeights`, and at last `scale` by −1, of which those that
 * are not asked for are `null`. Throws `InvalidHyperParameter` as they do. Source: Shazeer & Stern 2018; `optax.adafactor`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.adafactor({ learningRate: 0.1 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.init({ w: tf.zeros([300, 200]) })
 *   return state.leaves.map(({ size }) => size).toSorted((a, b) => b - a).slice(0, 3)
 * })
 * // Beside the parameter no more than a row and a column.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [60000, 300, 200])
 * ```
 */
export const adafactor = ({
  clippingThreshold = 1,
  decayOffset = 0,
  decayRate = 0.8,
  eps = 1e-30,
  factored = true,
  learningRate,
  minDimSizeToFactor = 128,
  momentum,
  multiplyByParameterScale = true,
  weightDecayMask,
  weightDecayRate
}: AdafactorOptions = {}): Transform<State, "params"> =>
  named(
    name,
    plain({
      learningRate,
      minDimSizeToFactor,
      decayRate,
      decayOffset,
      multiplyByParameterScale,
      clippingThreshold,
      momentum,
      weightDecayRate,
      eps,
      factored
    }),
    chain(
      scaleByFactoredRms({
        factored,
        decayRate,
        stepOffset: own("decayOffset", decayOffset, integer),
        minDimSizeToFactor,
        epsilon: own("eps", eps, nonNegative)
      }),
      optional(given(clippingThreshold, (x) => clipByBlockRms({ threshold: own("clippingThreshold", x, positive) }))),
      optional(given(learningRate, (rate) => scaleByLearningRate({ learningRate: rate, flipSign: false }))),
      optional(multiplyByParameterScale ? scaleByParamBlockRms() : undefined),
      optional(given(momentum, (x) => ema({ decay: own("momentum", x, decay), debias: false }))),
      optional(
        given(weightDecayRate, (x) =>
          addDecayedWeights({ weightDecay: own("weightDecayRate", x, anyRate), mask: weightDecayMask })
        )
      ),
      scale({ stepSize: -1 })
    )
  )
