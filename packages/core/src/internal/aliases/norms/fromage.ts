/** Fromage. */
import * as Schedules from "@optim/schedules"
import * as Scalar from "../../../Scalar.ts"
import { stepSize } from "../../optimizer/hyperParameters.ts"
import { checkedAs, type Hyper, plain, type Rate } from "../../transform/hyper.ts"
import { named } from "../../transform/named.ts"
import type { Counted, Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { addDecayedWeights } from "../../transforms/accumulate/addDecayedWeights.ts"
import { chain } from "../../transforms/combine/chain.ts"
import { scaleByTrustRatio } from "../../transforms/norms/scaleByTrustRatio.ts"
import { scaleByLearningRate } from "../../transforms/scale/scaleByLearningRate.ts"

/** What `fromage` is made with. */
export interface FromageOptions {
  /** η: the rate, or a schedule of it. */
  readonly learningRate: Rate
  /** The least norm that counts, ≥ 0. Default 1e-6. */
  readonly minNorm?: Hyper | undefined
}

/** A function of the rate as a rate. */
const ofRate = (rate: Rate, name: string, f: (rate: number) => number): Rate => {
  if (typeof rate === "number") return f(rate)
  if (rate instanceof Scalar.Scalar) return Scalar.apply(name, (value = Number.NaN) => f(value), rate)
  return (count: number) => f(Schedules.at(rate, count))
}

/** c = 1/√(1+η²) */
const shrink = (rate: number): number => 1 / Math.sqrt(1 + rate ** 2)

/**
 * Fromage: a step as long as the parameter, after which the parameter is brought back to its length.
 *
 *     c = 1/√(1+η²)        p ← c·(p − η·(‖p‖/‖g‖)·g)        for each leaf
 *
 * The chain `scaleByTrustRatio`, `scaleByLearningRate` with c·η, and after it `addDecayedWeights` with c − 1. Throws
 * `InvalidHyperParameter` as they do. Source: Bernstein et al. 2020; `optax.fromage`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as tf from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(Transform.fromage({ learningRate: 0.75 }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: tf.tensor1d([0, 9]) }, yield* optimizer.init({ w: tf.tensor1d([5, 0]) }))
 *   return [...optimizer.params(state).w.dataSync()].map((x) => x.toFixed(3))
 * })
 * // A gradient at a right angle turns the parameter and leaves its length.
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), ["4.000", "-3.000"])
 * ```
 */
export const fromage = ({
  learningRate,
  minNorm = 1e-6
}: FromageOptions): Transform<readonly [Stateless, Counted, Counted], "params"> => {
  const rate = checkedAs("fromage", "learningRate", learningRate, stepSize)
  return named(
    "fromage",
    plain({ learningRate, minNorm }),
    chain(
      scaleByTrustRatio({ minNorm }),
      scaleByLearningRate({ learningRate: ofRate(rate, "step", (eta) => eta * shrink(eta)) }),
      addDecayedWeights({ weightDecay: ofRate(rate, "shrink", (eta) => shrink(eta) - 1) })
    )
  )
}
