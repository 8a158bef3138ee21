/** Transforms of functions. */
import type { Expr } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { type NeedsOfFn, paramsIn, takesParams } from "../../transform/given.ts"
import type { Stateless } from "../../transform/rules.ts"
import type { Transform } from "../../transform/transform.ts"

type Symbols = Leaves.Leaves<Expr>

type OnTree = (updates: Symbols, params: Symbols) => Symbols

type OnLeaf = (u: Expr, p: Expr) => Expr

/**
 * A transform that remembers nothing: what a function makes of all updates.
 *
 * The function is traced, so it says in words of `Expr` and `Leaves` what becomes of symbols; it returns a list of the same
 * leaves. If it takes a second argument, the transform needs the parameters. Source: `optax.stateless`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Expr, Leaves, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const normalise = Transform.stateless((updates) => {
 *   const norm = Leaves.globalNorm(updates)
 *   return Leaves.map(updates, (u) => Expr.div(u, norm))
 * })
 * const program = Effect.map(Transform.update(normalise, { a: 0, b: 9 }, null), ({ updates: { a, b } }) => [
 *   a.dataSync()[0],
 *   b.dataSync()[0]
 * ])
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, 1])
 * ```
 */
export const stateless = <F extends OnTree>(f: F): Transform<Stateless, NeedsOfFn<F>> => ({
  name: "stateless",
  hyperParameters: {},
  needs: takesParams(f) ? { params: "stateless" } : {},
  init: () => null,
  // Whoever takes no parameters is given updates in their place, and does not look.
  update: (updates, state, context) => ({ updates: f(updates, paramsIn(context) ?? updates), state })
})

/**
 * A transform that remembers nothing: what a function makes of the update of each leaf.
 *
 * As `stateless`, leaf by leaf: an expression that makes no sense is reported with its leaf. If the function takes a second
 * argument, the transform needs the parameters. Source: `optax.stateless_with_tree_map`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Expr, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const decay = Transform.statelessWithTreeMap((u, p) => Expr.add(u, Expr.mul(0.5, p)))
 * const program = Effect.map(Transform.update(decay, { w: 1 }, null, { params: { w: 4 } }), ({ updates }) =>
 *   updates.w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3)
 * ```
 */
export const statelessWithTreeMap = <F extends OnLeaf>(f: F): Transform<Stateless, NeedsOfFn<F>> => ({
  name: "statelessWithTreeMap",
  hyperParameters: {},
  needs: takesParams(f) ? { params: "statelessWithTreeMap" } : {},
  init: () => null,
  update: (updates, state, context) => ({
    updates: Leaves.map(updates, paramsIn(context) ?? updates, (u, p) => f(u, p)),
    state
  })
})
