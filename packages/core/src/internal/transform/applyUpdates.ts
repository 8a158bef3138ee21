/** Updates added to parameters. */
import { PyTree } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { attempt } from "../attempt.ts"
import { checkShapes, floatLeaves, shapeOfLeaf, withTensors } from "../leaves.ts"
import { memo } from "../memo.ts"
import { sameSpecs } from "../optimizer/layout.ts"
import type { Gradients, Promoted } from "../optimizer/rule.ts"

const operation = "Transform.applyUpdates"

const planFor = memo(sameSpecs, (specs: ReadonlyArray<Expr.TensorSpec>) => {
  const outputs = specs.map((spec, index) => Expr.add(Expr.input(index, spec), Expr.input(specs.length + index, spec)))
  return Plan.make(Program.make([...specs, ...specs], outputs))
})

const add = Effect.fn(operation)(function* <P>(
  params: P,
  updates: Gradients<Promoted<P>>
): Effect.fn.Return<Promoted<P>, OptimError, Tensors> {
  const { execute } = yield* Tensors
  const remedy = "Pass the updates that were made of gradients of these very parameters."
  const { leaves, specs, treeDef } = yield* attempt(() => {
    const [all, treeDef] = PyTree.flatten(params)
    const own = floatLeaves(operation, all, treeDef)
    const specs = own.map((leaf): Expr.TensorSpec => ({ shape: shapeOfLeaf(leaf), dtype: "float32" }))
    const words = { exact: true, operation, subject: "the updates", reference: "the parameters", hint: remedy }
    const others = floatLeaves(operation, PyTree.flattenUpTo(treeDef, updates, words), treeDef)
    checkShapes(operation, others, specs, treeDef, remedy)
    return { leaves: [...own, ...others], specs, treeDef }
  })
  const plan = planFor(specs)
  const scalars = Program.evaluateScalars(plan.program, [])
  const outputs = yield* withTensors(leaves, (inputs) =>
    execute({ plan, inputs, scalars, donatedFrom: inputs.length, renewHandles: true })
  )
  // The structure of the parameters with a tensor for every leaf.
  return PyTree.unflatten(treeDef, outputs) as Promoted<P>
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
export const applyUpdates: <P>(
  params: P,
  updates: Gradients<Promoted<P>>
) => Effect.Effect<Promoted<P>, OptimError, Tensors> = atomically(add)
