/** Updates added to parameters. */
import type * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import type { OptimError } from "../../OptimError.ts"
import type { Tensors } from "../../Tensors.ts"
import type { Gradients, Promoted } from "../optimizer/rule.ts"
import { called, treeOf } from "../trees/onTrees.ts"

const remedy = "Pass the updates that were made of gradients of these very parameters."

const add = treeOf({
  operation: "Transform.applyUpdates",
  words: called(remedy, "the parameters", "the updates"),
  trace: (_, params: Leaves.Leaves<Expr.Expr>, updates: Leaves.Leaves<Expr.Expr>) =>
    Leaves.map(params, updates, (p, u) => Expr.add(p, u))
})

/**
 * Parameters with updates added: `p + u`, leaf by leaf. The result is new and belongs to the caller.
 * Source: `optax.apply_updates`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.map(Transform.applyUpdates({ w: 4 }, { w: -1 }), ({ w }) => w.dataSync()[0])
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), 3)
 * ```
 */
export const applyUpdates = <P>(
  params: P,
  updates: Gradients<Promoted<P>>
): Effect.Effect<Promoted<P>, OptimError, Tensors> =>
  // The structure of the parameters with a tensor for every leaf.
  add({ trees: [params, updates] }) as Effect.Effect<Promoted<P>, OptimError, Tensors>
