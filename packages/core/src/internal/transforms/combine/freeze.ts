/** Leaves that stay as they are. */
import type { Expr } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { type Mask, maskOf } from "../../transform/mask.ts"
import type { Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"
import { setToZero } from "../scale/identity.ts"
import { type MaskedState, onChosen } from "./masked.ts"
import { partitionBy, type PartitionState } from "./partition.ts"

/**
 * Updates of zero for the leaves that a mask means; the others pass unchanged.
 *
 * State: that of a masked transform without state. Fails like `masked`. Source: `optax.freeze`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const freeze = Transform.freeze({ encoder: true, head: false })
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(freeze, { encoder: 1, head: 1 })
 *   const { updates } = yield* Transform.update(freeze, { encoder: 5, head: 5 }, state)
 *   return [updates.encoder.dataSync()[0], updates.head.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 5])
 * ```
 */
export const freeze = (mask: Mask): Transform<MaskedState<Stateless>> =>
  onChosen("freeze", setToZero(), (leaves) => maskOf("freeze", mask, leaves))

/** What `selectiveTransform` is made with. */
export interface SelectiveTransformOptions {
  /** Which leaves stay as they are. */
  readonly freezeMask: Mask
}

/** The state of a transform for the leaves that are not frozen. */
export type SelectiveState<S> = PartitionState<{
  readonly train: Transform<S>
  readonly freeze: Transform<Stateless>
}>

/**
 * A transform for the leaves that are not frozen; the frozen ones have updates of zero, and nothing is remembered for them.
 *
 * State: that of a `partition` into `train` and `freeze`. Source: `optax.selective_transform`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const descent = Transform.scaleByLearningRate({ learningRate: 1 })
 * const optimizer = Optimizer.fromTransform(Transform.selectiveTransform(descent, { freezeMask: { encoder: true, head: false } }))
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { encoder: 5, head: 5 }, yield* optimizer.init({ encoder: 1, head: 1 }))
 *   const { encoder, head } = optimizer.params(state)
 *   return [encoder.dataSync()[0], head.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, -4])
 * ```
 */
export const selectiveTransform = <S, Needs extends string>(
  inner: Transform<S, Needs>,
  { freezeMask }: SelectiveTransformOptions
): Transform<SelectiveState<S>, Needs> => {
  const name = "selectiveTransform"
  const labels = (shapes: Leaves.Leaves<Expr>): Leaves.Leaves<string> =>
    Leaves.map(maskOf(name, freezeMask, shapes), (isFrozen) => (isFrozen ? "freeze" : "train"))
  return partitionBy(name, { train: inner, freeze: setToZero() }, labels)
}
