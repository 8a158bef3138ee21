/** Gradient descent. */
import { mass } from "../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../transform/hyper.ts"
import { named } from "../transform/named.ts"
import { optional } from "../transform/optional.ts"
import type { Counted } from "../transform/rules.ts"
import type { Transform } from "../transform/transform.ts"
import { trace, type TraceState } from "../transforms/accumulate/trace.ts"
import { chain } from "../transforms/combine/chain.ts"
import { scaleByLearningRate } from "../transforms/scale/scaleByLearningRate.ts"

/** What `sgd` is made with. */
export interface SgdOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** The share of the gradients before that is kept, 0 ≤ momentum ≤ 1. Default none. */
  readonly momentum?: Hyper | undefined
  /** Look one step ahead, with momentum? Default false. */
  readonly nesterov?: boolean | undefined
}

/**
 * Gradient descent, with or without momentum: `u = −η(count)·trace(g)`.
 *
 * The chain `trace`, if there is momentum, and `scaleByLearningRate`, whose states it holds; without momentum the first is
 * `null`. The numbers are those of `Optimizer.sgd`, `Optimizer.momentum` and `Optimizer.nesterov`. Throws
 * `InvalidHyperParameter` as the parts do. Source: Sutskever et al. 2013; `optax.sgd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.sgd({ learningRate: 0.5, momentum: 0.5 }))
 * const program = Effect.gen(function*() {
 *   const first = yield* optimizer.update(0, { w: 2 }, yield* optimizer.init({ w: 4 }))
 *   const second = yield* optimizer.update(1, { w: 2 }, first)
 *   return [first, second].map((state) => optimizer.params(state).w.dataSync()[0])
 * })
 * // Under the same gradient the second step is 1 + momentum times the first.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [3, 1.5])
 * ```
 */
export const sgd = ({
  learningRate,
  momentum,
  nesterov = false
}: SgdOptions): Transform<readonly [TraceState | null, Counted]> => {
  const velocity =
    momentum === undefined ? undefined : trace({ decay: checkedAs("sgd", "momentum", momentum, mass), nesterov })
  return named(
    "sgd",
    plain({ learningRate, momentum, nesterov }),
    chain(optional(velocity), scaleByLearningRate({ learningRate }))
  )
}
