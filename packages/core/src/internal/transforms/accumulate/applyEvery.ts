/** Updates that come in sums. */
import { add, type Expr, mul, zerosLike } from "../../../Expr.ts"
import * as Scalar from "../../../Scalar.ts"
import { every } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain, scalarOf } from "../../transform/hyper.ts"
import { type Counted, type SlotLists, withNumbers, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `applyEvery` is made with. */
export interface ApplyEveryOptions {
  /** How many updates make one, ≥ 1. Default 1. */
  readonly k?: Hyper | undefined
}

/** The sum of updates since the last one that was let out, and how many they are. */
export type ApplyEveryState = Counted & SlotLists<{ readonly gradAcc: Expr }>

const isLater: Scalar.Compute = (count) => Number(count !== 0)

const isLast: Scalar.Compute = (count = Number.NaN, k = Number.NaN) => Number(count === k - 1)

const next: Scalar.Compute = (count = Number.NaN, k = Number.NaN) => (count + 1) % k

/**
 * The sum of `k` updates in every k-th call, and zero in the others.
 *
 *     a ← a + u, beginning with 0 after each k-th call        u ← a in the k-th call, else 0
 *
 * What stands before it in a chain sees every gradient; `multiSteps` wraps a whole optimizer and shows it the mean of k. An
 * infinite or undefined element stays in the sum for good, and is let out in every call, as in the reference. State:
 * `count`, from 0 to k − 1, and `gradAcc`, zero at first. Throws `InvalidHyperParameter` unless k is an integer ≥ 1.
 * Source: `optax.apply_every`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const pairs = Transform.applyEvery({ k: 2 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(pairs, { w: 1 }, yield* Transform.init(pairs, { w: 0 }))
 *   const second = yield* Transform.update(pairs, { w: 10 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 11])
 * ```
 */
export const applyEvery = (options: ApplyEveryOptions = {}): Transform<ApplyEveryState> => {
  const { k } = checked("applyEvery", { k: options.k ?? 1 }, { k: every })
  const period = scalarOf(k)
  return withNumbers({
    name: "applyEvery",
    hyperParameters: plain({ k }),
    numbers: { count: zero },
    next: ({ count }) => ({ count: Scalar.apply("next", next, count, period) }),
    init: (p) => ({ gradAcc: zerosLike(p) }),
    update: (u, state, { count }) => {
      const gradAcc = add(mul(Scalar.apply("isLater", isLater, count), state.gradAcc), u)
      return { update: mul(Scalar.apply("isLast", isLast, count, period), gradAcc), gradAcc }
    }
  })
}
