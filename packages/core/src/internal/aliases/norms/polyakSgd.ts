/** Descent with the steps of Polyak. */
import { stepSize } from "../../optimizer/hyperParameters.ts"
import { checkedAs, plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import type { TraceState } from "../../transforms/accumulate/trace.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleByPolyak, type ScaleByPolyakOptions } from "../../transforms/norms/scaleByPolyak.ts"
import { sgd } from "../sgd.ts"

/** What `polyakSgd` is made with. */
export interface PolyakSgdOptions extends ScaleByPolyakOptions {
  /** The rate of the descent that is scaled, or a schedule of it. Default 1. */
  readonly scaling?: Rate | undefined
}

/**
 * Descent with the steps of Polyak: as far as a linear model of the loss says that its minimum is.
 *
 *     u = −scaling·g·min((f − fMin)/(‖scaling·g‖² + eps), maxLearningRate)
 *
 * Needs the loss f as `value`. The chain `sgd` and `scaleByPolyak`, whose states it holds. Throws `InvalidHyperParameter`
 * as they do. Source: Loizou et al. 2021; `optax.polyak_sgd`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.polyakSgd())
 * const program = Effect.gen(function*() {
 *   // |w| has the value 4 and the gradient 1 at 4.
 *   const state = yield* optimizer.update(0, { w: 1 }, yield* optimizer.init({ w: 4 }), { value: 4 })
 *   return optimizer.params(state).w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3) // no further than the largest rate
 * ```
 */
export const polyakSgd = ({ scaling = 1, ...polyak }: PolyakSgdOptions = {}): Transform<
  readonly [readonly [TraceState | null, Counted], Stateless],
  "value"
> => {
  const steps = scaleByPolyak(polyak)
  return named(
    "polyakSgd",
    { ...steps.hyperParameters, ...plain({ scaling }) },
    chain(sgd({ learningRate: checkedAs("polyakSgd", "scaling", scaling, stepSize) }), steps)
  )
}
