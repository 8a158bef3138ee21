/** Noise. */
import { add, div, type Expr, mul, normal, pow, sqrt } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import * as Scalar from "../../../Scalar.ts"
import { finite, integer, nonNegative } from "../../optimizer/hyperParameters.ts"
import { checked, type Hyper, plain, scalarOf } from "../../transform/hyper.ts"
import { type Counted, increment, zero } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

/** What `addNoise` is made with. */
export interface AddNoiseOptions {
  /** The variance of the noise in the first update, ≥ 0. */
  readonly eta: Hyper
  /** The exponent by which the variance decays. */
  readonly gamma: Hyper
  /** Which noise: an integer. The same key gives the same noise, so each transform should have its own. Default 0. */
  readonly key?: Hyper | undefined
}

/** All bits of a 32-bit integer depend on all; the last step of MurmurHash3 (Appleby 2011). */
const scrambled = (word: number): number => {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return second ^ (second >>> 16)
}

/** Sets apart words that are equal, and 0 from 0. */
const odd = 0x9e3779b9

/** A seed of 32 bits for a key, a count and a leaf, never 0, which tfjs takes for no seed. */
export const seedOf: Scalar.Compute = (key = Number.NaN, count = Number.NaN, leaf = Number.NaN) => {
  let seed = 0
  for (const word of [key, Math.floor(key / 2 ** 32), count, leaf]) seed = scrambled((seed ^ word) + odd)
  return (seed >>> 0) + 1
}

/** A gradient with a draw of the standard normal distribution, scaled to the variance eta / t^gamma. */
export const noised = (
  g: Expr,
  draw: Expr,
  { eta, gamma }: Pick<AddNoiseOptions, "eta" | "gamma">,
  t: Scalar.Scalar
): Expr => add(g, mul(sqrt(div(eta, pow(t, gamma))), draw))

/**
 * Gradients with normal noise that becomes less: `u ← u + N(0, eta / t^gamma)`, t = 1, 2, ….
 *
 * The noise of a leaf depends on `key`, on the count of updates and on the place of the leaf in the tree, on nothing else: it
 * is the same on every backend, in every run, and after a resume. (The reference draws other numbers of the same kind.)
 * Random numbers are made by tfjs, on the host. State: `count`. Throws `InvalidHyperParameter` unless eta ≥ 0, gamma is
 * finite and key an integer. Source: Neelakantan et al. 2015; `optax.add_noise`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const noise = Transform.addNoise({ eta: 1, gamma: 0.55, key: 7 })
 * const program = Effect.gen(function*() {
 *   const initial = yield* Transform.init(noise, { a: 0, b: 0 })
 *   const first = yield* Transform.update(noise, { a: 0, b: 0 }, initial)
 *   const again = yield* Transform.update(noise, { a: 0, b: 0 }, initial)
 *   const next = yield* Transform.update(noise, { a: 0, b: 0 }, first.state)
 *   return [first.updates.a, first.updates.b, again.updates.a, next.updates.a].map((u) => u.dataSync()[0])
 * })
 * const [a, b, again, next] = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.strictEqual(a, again)
 * assert.ok(a !== b && a !== next)
 * ```
 */
export const addNoise = ({ eta, gamma, key = 0 }: AddNoiseOptions): Transform<Counted> => {
  const name = "addNoise"
  const h = checked(name, { eta, gamma, key }, { eta: nonNegative, gamma: finite, key: integer })
  return {
    name,
    hyperParameters: plain(h),
    needs: {},
    init: () => ({ count: zero }),
    update: (updates, state) => {
      const count = increment(state.count)
      const seedAt = (index: number): Scalar.Scalar =>
        Scalar.apply("seed", seedOf, scalarOf(h.key), count, Scalar.constant(updates.at[index] ?? 0))
      const noisy = Leaves.map(updates, (g, index) => noised(g, normal(g.shape, seedAt(index)), h, count))
      return { updates: noisy, state: { count } }
    }
  }
}
