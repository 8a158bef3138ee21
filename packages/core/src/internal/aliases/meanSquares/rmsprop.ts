/** RMSProp. */
import { mass } from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import { optional, widened } from "../../transform/optional.ts"
import type { Counted } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { trace, type TraceState } from "../../transforms/accumulate/trace.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { type RmsState, scaleByRms, type ScaleByRmsOptions } from "../../transforms/moments/meanSquares/scaleByRms.ts"
import { scaleByStddev } from "../../transforms/moments/meanSquares/scaleByStddev.ts"
import type { MomentsState } from "../../transforms/moments/scaleByAdam.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `rmsprop` is made with. */
export interface RmspropOptions extends ScaleByRmsOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** Divide by the standard deviation instead of the root mean square? Default false. */
  readonly centered?: boolean | undefined
  /** The share of the steps before that is kept, 0 ≤ momentum ≤ 1. Default none. */
  readonly momentum?: Hyper | undefined
  /** Look one step ahead, with momentum? Default false. */
  readonly nesterov?: boolean | undefined
}

/** Mean squares; with `centered` also means. */
type ScaleState = RmsState | MomentsState

/**
 * RMSProp: steps along the gradient, scaled per element by the root of its mean square, with or without momentum.
 *
 *     u = trace(−η(count)·rms(g)),  or with `centered`  trace(−η(count)·stddev(g))
 *
 * The chain `scaleByRms` or `scaleByStddev`, `scaleByLearningRate`, and `trace` if there is momentum, whose states it
 * holds; without momentum the third is `null`. The rate is within the momentum, unlike that of `sgd`: steps already
 * gathered go on after it has changed. At the defaults the numbers are those of `Optimizer.rmsprop`, and with momentum those
 * of `Optimizer.rmspropMomentum`; `epsInSqrt: false` is PyTorch's. Throws `InvalidHyperParameter` as the parts do.
 * Source: Tieleman & Hinton 2012; Graves 2013 for `centered`; `optax.rmsprop`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const learningRate = (count: number) => (count === 0 ? 1 : 0)
 * const rmsprop = Transform.rmsprop({ learningRate, decay: 0.75, eps: 0, momentum: 0.5 })
 * const optimizer = Optimizer.fromTransform(rmsprop)
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 64 }, yield* optimizer.init({ w: 0 }))
 *   const second = yield* optimizer.update(1, { w: 64 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // The first step is η/√(1−decay) in size; half of it goes on though the rate is 0.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-2, -3])
 * ```
 */
export const rmsprop = ({
  centered = false,
  learningRate,
  momentum,
  nesterov = false,
  ...means
}: RmspropOptions): Transform<readonly [ScaleState, Counted, TraceState | null]> => {
  const direction = centered
    ? widened<ScaleState, MomentsState, never>(scaleByStddev(means))
    : widened<ScaleState, RmsState, never>(scaleByRms(means))
  const velocity =
    momentum === undefined ? undefined : trace({ decay: checkedAs("rmsprop", "momentum", momentum, mass), nesterov })
  return named(
    "rmsprop",
    { ...direction.hyperParameters, ...plain({ learningRate, centered, momentum, nesterov }) },
    chain(direction, scaleByLearningRate({ learningRate }), optional(velocity))
  )
}
